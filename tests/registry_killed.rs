//! The program is killed in the midst of an upload, and started again.

#[path = "support/command.rs"]
mod command;
#[path = "support/stores.rs"]
mod stores;
#[path = "support/uploads.rs"]
mod uploads;

use command::Kimg;
use uploads::{Fault, Registry};

#[test]
fn the_same_command_goes_on_where_it_was_killed() {
    let (_folder, store) = stores::store();
    let mut layer = (0..=250).collect::<Vec<u8>>().repeat(9_000_000 / 251 + 1);
    layer.truncate(9_000_000);
    let image = stores::image(&store, &layer);
    store.name(&["app".to_owned()], &image.manifest).unwrap();
    let home = Kimg::new();
    let (source, registry) = (format!("oci:{}:app", store.root().display()), Registry::start());
    let arguments = ["copy", &source, &format!("docker://{}/app:1", registry.address)];
    registry.faults("PUT app/blobs", [Fault::Hold(5_000_000)]);
    let mut child = home.command(&arguments).spawn().unwrap();
    registry.wait_until_held();
    child.kill().unwrap();
    child.wait().unwrap();
    registry.log();
    let output = home.output(&arguments);
    assert_eq!(String::from_utf8_lossy(&output.stdout), format!("{}\n", image.manifest.digest), "{output:?}");
    let log = registry.log();
    assert!(log.iter().any(|line| line.starts_with("GET app/blobs/uploads/") && line.ends_with(" 204")), "{log:?}");
    let state = registry.state();
    assert_eq!(state.blobs[&format!("app {}", image.layer.digest)], layer);
    let rest: Vec<usize> = state.requests.iter().filter(|r| r.method == "PATCH").map(|r| r.length).collect();
    assert_eq!(rest, [4_000_000]);
}
