//! The places an image lives in.
