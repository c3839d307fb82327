//! The program inside images has the bytes that the project pins, so that a build from the same sources by the same
//! compiler gives the same images everywhere.

use std::fs;
use std::path::Path;

use kimg::definition::embedded::{ENTRYPOINT, ENTRYPOINT_BUILD, ENTRYPOINT_KIND, ENTRYPOINT_SHA256};
use kimg::digest::Digest;

fn pins() -> Vec<String> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("images/entrypoint/pins.txt");
    let text = fs::read_to_string(file).unwrap();
    text.lines().filter(|line| !line.starts_with('#')).map(str::to_owned).collect()
}

#[test]
fn a_compiler_with_a_pin_makes_the_pinned_bytes() {
    let (_, made_by) = ENTRYPOINT_BUILD.split_once(' ').unwrap();
    let of_this_compiler: Vec<String> = pins().into_iter().filter(|pin| pin.ends_with(made_by)).collect();
    // Another compiler's bytes are used too, and reported as `own build`.
    let expected = if of_this_compiler.is_empty() { "own build" } else { "pinned" };
    assert_eq!(
        ENTRYPOINT_KIND,
        expected,
        "the program inside images came out as\n{ENTRYPOINT_BUILD}\nand images/entrypoint/pins.txt has\n{}\n\
         If images/entrypoint was changed on purpose, put the first line there; else the build is not reproducible.",
        of_this_compiler.join("\n"),
    );
}

#[test]
fn what_is_embedded_is_what_is_named() {
    assert_eq!(Digest::of(ENTRYPOINT).hex(), ENTRYPOINT_SHA256);
    assert!(ENTRYPOINT.starts_with(b"\x7fELF"));
    assert!(ENTRYPOINT.len() < 1_400_000, "{} bytes are more than glibc's floor of about 1.1 MB", ENTRYPOINT.len());
}

#[test]
fn pins_are_well_formed() {
    for pin in pins() {
        let mut words = pin.splitn(3, ' ');
        let digest = words.next().unwrap();
        assert!(format!("sha256:{digest}").parse::<Digest>().is_ok(), "{pin}");
        assert!(words.next().is_some_and(|target| target.contains("-linux-")), "{pin}");
        assert!(words.next().is_some_and(|compiler| compiler.starts_with("rustc ")), "{pin}");
    }
}
