//! Folders that cannot be written to: another reason has another remedy.

mod support;

use std::fs;
use std::io::{Error, ErrorKind};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use kimg_entrypoint::places::{
    Denied, Process, ask, check_below, first_writable, make_writable, unwritable, write_private, write_whole,
};
use support::{folder, root};

/// What user 1000 of group 0 is told of a folder on a volume, or on the container's own file system.
fn told(kind: ErrorKind, mount: &str, owner: (u32, u32, u32), closed: Option<&str>) -> String {
    let folder = PathBuf::from("/bitnami/kafka/data");
    let denied = Denied {
        owner: Some((folder.clone(), owner.0, owner.1, owner.2)),
        folder,
        kind,
        error: Error::from(kind).to_string(),
        process: Process { user: 1000, group: 0, groups: vec![] },
        mount: PathBuf::from(mount),
        closed: closed.map(PathBuf::from),
    };
    denied.problem().to_string()
}

#[test]
fn each_reason_has_its_remedy() {
    let volume = "/bitnami/kafka";
    let (roots, bitnamis) = ((0, 0, 0o755), (1001, 1001, 0o775));
    for (kind, mount, owner, closed, words) in [
        (
            ErrorKind::PermissionDenied,
            volume,
            roots,
            None,
            &[
                "`chown -R 1000:0 /bitnami/kafka`",
                "fsGroup: 0",
                "belongs to 0:0 with mode 0755",
                "user 1000 with group 0",
            ][..],
        ),
        (
            ErrorKind::PermissionDenied,
            volume,
            bitnamis,
            None,
            &["`chown -R 1000:0 /bitnami/kafka`", "--user 1001:1001", "runAsUser: 1001", "belongs to 1001:1001"],
        ),
        (ErrorKind::PermissionDenied, "/", roots, None, &["mount a volume at /bitnami/kafka/data"]),
        (ErrorKind::PermissionDenied, volume, roots, Some("/bitnami"), &["`chmod a+x /bitnami`", "may not be passed"]),
        (ErrorKind::ReadOnlyFilesystem, volume, roots, None, &["mounted at /bitnami/kafka is read-only", "`:ro`"]),
        (ErrorKind::ReadOnlyFilesystem, "/", roots, None, &["own file system is read-only", "mount a volume at"]),
        (ErrorKind::StorageFull, volume, roots, None, &["no room is left on what is mounted at /bitnami/kafka"]),
        (ErrorKind::QuotaExceeded, volume, roots, None, &["no room is left"]),
        (ErrorKind::NotADirectory, volume, roots, None, &["a file is where a folder should be"]),
        (ErrorKind::TimedOut, volume, roots, None, &["see what is mounted at /bitnami/kafka"]),
    ] {
        let text = told(kind, mount, owner, closed);
        assert!(text.starts_with("error: /bitnami/kafka/data: "), "{text}");
        for word in words {
            assert!(text.contains(word), "{word}: {text}");
        }
        // What helps against one reason is not proposed for another.
        let is_owner = kind == ErrorKind::PermissionDenied && mount == volume && closed.is_none();
        assert_eq!(text.contains("chown"), is_owner, "{text}");
    }
}

#[test]
fn where_root_has_no_rights_it_runs_as_the_owner() {
    let denied = Denied {
        folder: PathBuf::from("/nfs/data"),
        kind: ErrorKind::PermissionDenied,
        error: String::new(),
        process: Process::default(),
        mount: PathBuf::from("/nfs"),
        owner: Some((PathBuf::from("/nfs"), 1500, 1600, 0o755)),
        closed: None,
    };
    let hint = denied.problem().hint;
    assert!(hint.contains("root_squash") && hint.contains("--user 1500:1600") && !hint.contains("chown"), "{hint}");
}

#[test]
fn the_kernel_is_asked_what_is_wrong() {
    let root = root("places-asked");
    let file = root.join("file");
    fs::write(&file, "").unwrap();
    let below = file.join("data");
    let problem = make_writable(&below).unwrap_err();
    assert_eq!(problem.subject, below.display().to_string());
    assert!(problem.why.contains("a file is where a folder should be"), "{problem}");
    // The nearest folder that is there tells the owner, and the mount.
    let denied = Denied::of(&root.join("not/there"), &Error::from(ErrorKind::PermissionDenied));
    assert_eq!(denied.owner.map(|(path, ..)| path), Some(root.clone()));
    assert!(root.canonicalize().unwrap().starts_with(&denied.mount));
    assert!(
        unwritable(Path::new("/proc/nothing"), &Error::from(ErrorKind::TimedOut)).hint.contains("mounted at /proc")
    );
}

#[test]
fn what_is_left_behind_is_nothing() {
    let root = root("places-probe");
    let new = root.join("new/folder");
    make_writable(&new).unwrap();
    let entries = kimg_entrypoint::kafka::data::contents::read(&new).unwrap();
    assert_eq!(entries, Default::default());
    assert!(fs::remove_dir(&new).is_ok(), "it is empty");
}

#[test]
fn a_folder_is_asked_without_a_trace() {
    let root = root("places-ask");
    for folder in [root.clone(), root.join("not/there")] {
        assert_eq!(ask(&folder), Ok(()));
    }
    assert!(fs::remove_dir(&root).is_ok(), "it is empty");
    // A process has a folder there into which nobody may write, root neither. No folder is made in it.
    let problem = ask(Path::new("/proc/self/kafka/data")).unwrap_err();
    assert!(problem.subject == "/proc/self/kafka/data" && problem.why.contains("cannot write"), "{problem}");
}

#[test]
fn folders_of_another_owner_inside_are_found() {
    // Nobody may write into the folders of a process there, root neither.
    let (nobody, superuser) = (Process { user: 4_242_424, group: 4_242_424, groups: vec![] }, Process::default());
    let problem = check_below(Path::new("/proc/self"), &nobody).unwrap_err();
    assert!(problem.subject.starts_with("/proc/self/"), "{problem}");
    assert_eq!(check_below(Path::new("/proc/self"), &superuser), Ok(()));
    // Where the bits of a mode say no and the file system says yes, it is yes.
    let data = root("places-inside");
    let partition = folder(&data, "topic-0");
    fs::set_permissions(&partition, fs::Permissions::from_mode(0o700)).unwrap();
    fs::write(data.join(".lock"), "").unwrap();
    assert_eq!(check_below(&data, &nobody), Ok(()));
    assert!(fs::remove_dir(&partition).is_ok(), "nothing is left in it");
}

#[test]
fn the_first_folder_that_takes_it_gets_the_configuration() {
    let root = root("places-first");
    fs::write(root.join("file"), "").unwrap();
    let folders = ["file/a", "file/b", "good", "better"].map(|name| root.join(name));
    assert_eq!(first_writable(&folders), Ok(root.join("good")));
    let problem = first_writable(&folders[..2]).unwrap_err();
    for folder in &folders[..2] {
        assert!(problem.why.contains(&folder.display().to_string()), "each has its reason: {problem}");
    }
}

#[test]
fn files_are_written_whole_and_secrets_for_their_owner() {
    let root = root("places-files");
    let file = root.join("server.properties");
    write_whole(&file, b"one").unwrap();
    // What a crash left beside does not matter, whatever its mode.
    fs::write(root.join("server.new"), "torn").unwrap();
    fs::set_permissions(root.join("server.new"), fs::Permissions::from_mode(0o644)).unwrap();
    write_private(&file, b"two").unwrap();
    assert_eq!(fs::read(&file).unwrap(), b"two");
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(!root.join("server.new").exists());
    let none = root.join("absent/file");
    assert_eq!(write_whole(&none, b"").unwrap_err().subject, root.join("absent").display().to_string());
}
