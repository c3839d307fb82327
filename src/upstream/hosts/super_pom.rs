//! The super POM of an installed Maven: every POM inherits from it, and it names the repository `central`.

use std::fs::File;
use std::path::Path;

use roxmltree::Document;

use super::{Machine, parse_base};
use crate::layer::zip_member;
use crate::net::Base;

const MEMBER: &str = "org/apache/maven/model/pom-4.0.0.xml";
const MEMBER_LIMIT: u64 = 1 << 20;

/// The repository `central` of the first Maven that is found.
pub(super) fn base(machine: &Machine) -> Option<Base> {
    let homes = machine.maven_home.iter().cloned().chain([machine.root.join("usr/share/maven")]);
    let jars = homes.flat_map(|home| machine.files(&home.join("lib"), &[".jar"]));
    let is_model = |path: &Path| {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        name.starts_with("maven-model-builder-")
    };
    jars.into_iter().filter(|path| is_model(path)).find_map(|path| read(machine, &path))
}

fn read(machine: &Machine, jar: &Path) -> Option<Base> {
    let pass_over = |why: String| machine.pass_over(jar, &why);
    let file = File::open(jar).map_err(|error| pass_over(error.to_string())).ok()?;
    let pom = zip_member(file, &jar.display().to_string(), MEMBER, MEMBER_LIMIT)
        .map_err(|error| pass_over(error.to_string()))
        .ok()??;
    let text = String::from_utf8(pom).map_err(|error| pass_over(error.to_string())).ok()?;
    let document = Document::parse(&text).map_err(|error| pass_over(error.to_string())).ok()?;
    let repositories = document.descendants().filter(|node| node.tag_name().name() == "repository");
    let value = |node: roxmltree::Node<'_, '_>, name: &str| {
        let child = node.children().find(|child| child.tag_name().name() == name);
        child.and_then(|child| child.text()).unwrap_or_default().trim().to_owned()
    };
    let central = repositories.into_iter().find(|repository| value(*repository, "id") == "central")?;
    parse_base(&value(central, "url"), "Maven's super POM")
}
