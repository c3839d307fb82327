//! Environment and configuration file, as the program takes them.

#[path = "support/command.rs"]
mod command;

use command::Kimg;

#[test]
fn wrong_configuration_is_named_with_file_and_line() {
    let kimg = Kimg::new();
    let mut shown = String::new();
    for text in [
        "stroe = \"/srv/kimg\"\n",
        "[mirrors]\n\ndebain = \"http://mirror.example/debian\"\n",
        "[mirrors]\nmaven = 7\n",
        "[mirrors]\nmaven = [\"http://user:secret@\"]\n",
        "store = \"relative\"\n",
        "store = \n",
    ] {
        kimg.write(".config/kimg/config.toml", text);
        shown.push_str(&format!("{text}{}\n", kimg.run(&["store", "ls"])));
    }
    insta::assert_snapshot!(shown);
}

#[test]
fn a_configuration_file_that_is_named_must_be_there() {
    let flag = Kimg::new();
    let variable = Kimg::new().with("KIMG_CONFIG", "absent.toml");
    insta::assert_snapshot!(
        [
            flag.run(&["--config", "absent.toml", "store", "ls"]),
            variable.run(&["store", "ls"]),
            flag.run(&["store", "ls"]),
        ]
        .join("\n")
    );
}

#[test]
fn the_store_lies_where_the_first_of_them_says() {
    let is_store = |kimg: &Kimg, folder: &str| {
        assert_eq!(kimg.output(&["store", "ls"]).status.code(), Some(0));
        kimg.home().join(folder).join("oci-layout").is_file()
    };
    assert!(is_store(&Kimg::new(), ".local/share/kimg"));
    let configured = Kimg::new();
    configured.write(".config/kimg/config.toml", "store = \"~/configured\"\n");
    assert!(is_store(&configured, "configured"));
    let variable = Kimg::new().with("KIMG_HOME", "here");
    variable.write(".config/kimg/config.toml", "store = \"~/configured\"\n");
    assert!(is_store(&variable, "here"));
    assert!(!variable.home().join("configured").exists());
}

#[test]
fn without_a_home_there_is_no_place_for_the_store() {
    let kimg = Kimg::new();
    let arguments = ["store", "ls"];
    let output = kimg.command(&arguments).env_remove("HOME").output().unwrap();
    insta::assert_snapshot!(kimg.show(&arguments, &output));
}

#[test]
fn wrong_variables_are_named() {
    let wrong = Kimg::new().with("KIMG_MIRROR_MAVEN", "user:secret@mirror.example");
    let mistyped = Kimg::new().with("KIMG_MIRROR_DEBAIN", "http://mirror.example");
    let netrc = Kimg::new().with("NETRC", "absent");
    let epoch = Kimg::new().with("SOURCE_DATE_EPOCH", "yesterday");
    mistyped.write("images/family/image.toml", "");
    insta::assert_snapshot!(
        [
            wrong.run(&["build", "kafka"]),
            mistyped.run(&["build", "--images", "images", "family"]),
            netrc.run(&["build", "kafka"]),
            epoch.run(&["lock", "kafka"]),
        ]
        .join("\n")
    );
}
