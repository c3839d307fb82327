//! Maven repositories: coordinates and paths.
