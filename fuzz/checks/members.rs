//! A tar that holds an image: its files are found by headers alone and by reading it once, and both find the same.

use std::io::Cursor;

use kimg::layer::{LayerError, Members, Passing, pass_members};

/// Checks one input.
pub fn check(bytes: &[u8]) {
    let found = Members::find(&mut Cursor::new(bytes), "fuzz", 1000);
    let mut passed = 0;
    let pass = pass_members(&mut &bytes[..], "fuzz", 1000, |path, passing| {
        let path = path.as_bytes();
        assert!(!path.starts_with(b"/") && !path.contains(&0), "{path:?}");
        assert!(path.split(|byte| *byte == b'/').all(|part| !matches!(part, b"" | b"." | b"..")), "{path:?}");
        passed += usize::from(matches!(passing, Passing::File(..)));
        Ok::<(), LayerError>(())
    });
    match (found, pass) {
        (Ok(members), Ok(())) => {
            assert_eq!(members.iter().count(), passed);
            for (_, member) in members.iter() {
                assert!(member.offset + member.size <= bytes.len() as u64);
            }
        }
        (Err(one), Err(other)) => assert_eq!(one.to_string(), other.to_string()),
        (one, other) => panic!("{:?} {:?}", one.err(), other.err()),
    }
}
