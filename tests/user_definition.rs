//! `-f image.toml`: a definition of the user's on top of an image, its lock, and what comes out.

#[path = "support/catalog.rs"]
mod catalog;
#[path = "support/command.rs"]
mod command;
#[path = "support/deb.rs"]
mod deb;
#[path = "support/image.rs"]
mod image;
#[path = "support/openpgp.rs"]
mod openpgp;
#[path = "support/own.rs"]
mod own;
#[path = "support/server.rs"]
mod server;

use catalog::{Material, noise};
use image::Image;
use own::{build, lock_text, maven};

const EXPORTER: &str = r#"
name = "company-app"
from = "app:1.0"

[[layer]]
name = "exporter"
maven = ["io.example.jmx:exporter:1.2"]
into = "opt/exporter"

[run]
command = ["app", "--metrics"]

[run.env]
LEVEL = "2"
JAVA_OPTS = "-javaagent:/opt/exporter/exporter-1.2.jar"
"#;

#[test]
fn a_jar_of_maven_on_top_of_an_image() {
    let world = Material::new().lock();
    maven(&world, "io/example/jmx/exporter/1.2/exporter-1.2.jar", &noise("exporter", 3000));
    world.kimg.write("own/image.toml", EXPORTER);
    let first = world.kimg.run(&build("own/image.toml", &["-q", "-o", "oci:out"]));
    let own = Image::open(&world.kimg.home().join("out"), "company-app:1.0");
    assert_eq!(
        first,
        format!(
            "$ kimg build --images images -f own/image.toml -q -o oci:out\nstdout:\n  company-app:1.0@{}\nexit code: 0\n",
            own.digest
        )
    );
    world.built(&["app", "-o", "oci:out"]);
    let below = Image::open(&world.kimg.home().join("out"), "app:1.0");
    assert_eq!(own.digests()[..below.layers.len()], below.digests()[..]);
    assert_eq!(own.layers.len(), below.layers.len() + 1);
    assert_eq!(
        own.layers.last().unwrap().lines(),
        "5 0755 0:0 opt\n5 0755 0:0 opt/exporter\n0 0644 0:0 opt/exporter/exporter-1.2.jar\n"
    );
    insta::assert_snapshot!("config", format!("{:#}", own.config["config"]));
    insta::assert_snapshot!("annotations", format!("{:#}", own.manifest["annotations"]));
    insta::assert_snapshot!("lock", lock_text(&world, "own/image.lock.toml"));
}
