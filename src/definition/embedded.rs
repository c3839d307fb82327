//! What the build embeds, made by `build.rs`: the program inside images, and every file below `images/`.

include!(concat!(env!("OUT_DIR"), "/embedded.rs"));
