//! The programs inside images have the bytes that the project pins, so that a build from the same sources by the same
//! compiler gives the same images everywhere.

use std::fs;
use std::path::Path;

use kimg::definition::embedded::{ENTRYPOINTS, Entrypoint, entrypoint};
use kimg::digest::Digest;

fn pins() -> Vec<String> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("images/entrypoint/pins.txt");
    let text = fs::read_to_string(file).unwrap();
    text.lines().filter(|line| !line.starts_with('#')).map(str::to_owned).collect()
}

#[test]
fn a_compiler_with_a_pin_makes_the_pinned_bytes() {
    for entrypoint in ENTRYPOINTS {
        let (_, made_by) = entrypoint.build.split_once(' ').unwrap();
        let of_this_compiler: Vec<String> = pins().into_iter().filter(|pin| pin.ends_with(made_by)).collect();
        // Another compiler's bytes are used too, and reported as `own build`.
        let expected = if of_this_compiler.is_empty() { "own build" } else { "pinned" };
        assert_eq!(
            entrypoint.kind,
            expected,
            "the program inside images came out as\n{}\nand images/entrypoint/pins.txt has\n{}\n\
             If images/entrypoint was changed on purpose, put the first line there; else the build is not reproducible.",
            entrypoint.build,
            of_this_compiler.join("\n"),
        );
    }
}

#[test]
fn what_is_embedded_is_what_is_named() {
    for Entrypoint { architecture, program, sha256, build, .. } in ENTRYPOINTS {
        assert_eq!(Digest::of(program).hex(), *sha256);
        assert!(build.starts_with(sha256));
        assert!(program.starts_with(b"\x7fELF"));
        // Of which 1.1 MB are glibc's floor.
        assert!(program.len() < 2_100_000, "{} bytes are more than the program may have", program.len());
        // ELF's e_machine.
        let machine = u16::from_le_bytes([program[18], program[19]]);
        let expected = match *architecture {
            "amd64" => 62,
            "arm64" => 183,
            other => panic!("{other}"),
        };
        assert_eq!(machine, expected, "{architecture}");
    }
}

#[test]
fn there_is_one_for_the_machine_that_kimg_runs_on_and_none_for_others() {
    assert!(!ENTRYPOINTS.is_empty());
    assert!(ENTRYPOINTS.iter().all(|one| std::ptr::eq(entrypoint(one.architecture).unwrap(), one)), "one each");
    assert!(entrypoint("riscv64").is_none());
}

#[test]
fn both_architectures_are_pinned() {
    for target in ["x86_64-unknown-linux-gnu", "aarch64-unknown-linux-gnu"] {
        assert!(pins().iter().any(|pin| pin.split(' ').nth(1) == Some(target)), "{target}");
    }
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
