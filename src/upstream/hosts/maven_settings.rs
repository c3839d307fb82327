//! Maven's settings: mirrors of the repository `central`, and the repository itself where a profile names another place
//! (maven.apache.org/settings.html).

use std::path::{Path, PathBuf};

use roxmltree::{Document, Node};

use super::{Machine, parse_base};
use crate::net::Base;

/// What stands in the user's settings and then in the global ones. As in Maven, what one of them names may stand in
/// another: the mirror in the global ones, and the user's password for it in his own.
pub(super) fn bases(machine: &Machine) -> Vec<Base> {
    let user = machine.home.iter().map(|home| home.join(".m2/settings.xml"));
    let texts: Vec<(PathBuf, String)> =
        user.chain(global(machine)).filter_map(|path| machine.text(&path).map(|text| (path, text))).collect();
    let mut documents = Vec::new();
    for (path, text) in &texts {
        match Document::parse(text) {
            Ok(document) => documents.push((path.as_path(), document)),
            Err(error) => machine.pass_over(path, &error.to_string()),
        }
    }
    let all: Vec<File<'_, '_>> =
        documents.iter().map(|(path, document)| File { path, settings: document.root_element() }).collect();
    all.iter().flat_map(|file| read(machine, file, &all)).collect()
}

/// One settings file.
struct File<'a, 'input> {
    path: &'a Path,
    settings: Node<'a, 'input>,
}

fn global(machine: &Machine) -> Vec<PathBuf> {
    let homes = machine.maven_home.iter().cloned().chain([machine.root.join("usr/share/maven")]);
    homes.map(|home| home.join("conf/settings.xml")).chain([machine.root.join("etc/maven/settings.xml")]).collect()
}

fn read(machine: &Machine, file: &File<'_, '_>, all: &[File<'_, '_>]) -> Vec<Base> {
    let mirrors = children(file.settings, "mirrors", "mirror").into_iter();
    let mirrors = mirrors.filter(|mirror| is_for_central(&text(machine, *mirror, "mirrorOf")));
    let repositories = active_profiles(machine, file, all)
        .into_iter()
        .flat_map(|profile| children(profile, "repositories", "repository"))
        .filter(|repository| text(machine, *repository, "id") == "central");
    let mut found = Vec::new();
    for place in mirrors.chain(repositories) {
        let (id, url) = (text(machine, place, "id"), text(machine, place, "url"));
        match parse_base(&url, "Maven's settings") {
            Some(base) => {
                let credentials = base.credentials.clone().or_else(|| credentials(machine, all, &id));
                found.push(Base { credentials, ..base });
            }
            None => machine.pass_over(file.path, "a mirror that is neither http nor https"),
        }
    }
    found
}

/// `central`, `*`, `external:*`, lists, and `!central`, which wins.
fn is_for_central(of: &str) -> bool {
    let words: Vec<&str> = of.split(',').map(str::trim).collect();
    !words.contains(&"!central") && words.iter().any(|word| matches!(*word, "central" | "*" | "external:*"))
}

fn active_profiles<'a, 'input>(
    machine: &Machine,
    file: &File<'a, 'input>,
    all: &[File<'_, '_>],
) -> Vec<Node<'a, 'input>> {
    let named: Vec<String> = all
        .iter()
        .flat_map(|file| children(file.settings, "activeProfiles", "activeProfile"))
        .map(|node| expand(machine, node.text().unwrap_or_default().trim()))
        .collect();
    let by_default = |profile: Node<'_, '_>| {
        child(profile, "activation").is_some_and(|activation| text(machine, activation, "activeByDefault") == "true")
    };
    let mut profiles = children(file.settings, "profiles", "profile");
    profiles.retain(|profile| named.contains(&text(machine, *profile, "id")) || by_default(*profile));
    profiles
}

fn credentials(machine: &Machine, all: &[File<'_, '_>], id: &str) -> Option<(String, String)> {
    let servers = |file| children(file, "servers", "server").into_iter();
    let (path, server) = all.iter().find_map(|file| {
        let server = servers(file.settings).find(|server| text(machine, *server, "id") == id)?;
        Some((file.path, server))
    })?;
    let (user, password) = (text(machine, server, "username"), text(machine, server, "password"));
    if password.starts_with('{') && password.ends_with('}') {
        machine.pass_over(path, &format!("the password of server `{}` is encrypted", id.escape_debug()));
        return None;
    }
    (!user.is_empty()).then_some((user, password))
}

fn child<'a, 'input>(node: Node<'a, 'input>, name: &str) -> Option<Node<'a, 'input>> {
    node.children().find(|child| child.tag_name().name() == name)
}

fn children<'a, 'input>(node: Node<'a, 'input>, list: &str, name: &str) -> Vec<Node<'a, 'input>> {
    let list = child(node, list).into_iter().flat_map(|list| list.children());
    list.filter(|child| child.tag_name().name() == name).collect()
}

fn text(machine: &Machine, node: Node<'_, '_>, name: &str) -> String {
    let text = child(node, name).and_then(|child| child.text()).unwrap_or_default();
    expand(machine, text.trim())
}

/// `${env.NAME}`; what is not set stays as it is.
fn expand(machine: &Machine, text: &str) -> String {
    let mut expanded = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${env.") {
        expanded.push_str(before);
        let known = after.split_once('}').and_then(|(name, after)| Some((machine.variables.get(name)?, after)));
        match known {
            Some((value, after)) => {
                expanded.push_str(value);
                rest = after;
            }
            None => {
                expanded.push_str("${env.");
                rest = after;
            }
        }
    }
    expanded + rest
}
