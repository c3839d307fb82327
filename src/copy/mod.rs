//! The one way an image moves.
