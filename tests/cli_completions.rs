//! Completions of shells.

#[path = "support/command.rs"]
mod command;

use command::Kimg;

#[test]
fn every_shell_gets_the_same_script_each_time() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = |kimg: Kimg| {
            let output = kimg.output(&["completions", shell]);
            assert_eq!(output.status.code(), Some(0), "{shell}");
            assert!(output.stderr.is_empty(), "{shell}");
            String::from_utf8(output.stdout).unwrap()
        };
        let first = script(Kimg::new());
        assert!(first.contains("completions") && first.contains("metadata-file"), "{shell}");
        assert_eq!(first, script(Kimg::new().with("LANG", "de_DE.UTF-8").with("TERM", "xterm")), "{shell}");
    }
}
