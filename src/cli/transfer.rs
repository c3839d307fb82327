//! One image from one location to another, whatever these are.

use std::fs;
use std::io;

use super::places::{Ends, Opened};
use super::values::{ArchiveFile, Location};
use super::{CliError, Failure};
use crate::copy::{self, Choice, CopyError, Execution, Moved, Plan, Root, Sink};
use crate::error::Category;
use crate::oci::{Descriptor, Reference};
use crate::transport::{Archive, LayoutSink, OciArchiveSink, StoreSource, name_of};

/// What was done, or would be.
pub(super) struct Transferred {
    /// The image as it is in the target.
    pub(super) root: Root,
    /// What moves.
    pub(super) plan: Plan,
    /// What moved; nothing is known of it where a daemon took it.
    pub(super) moved: Moved,
}

/// Copies an image, or with `dry_run` only plans it. `planned` is told of the plan before anything moves. The caller holds
/// a lease of the store.
pub(super) fn transfer(
    ends: &Ends,
    (source, destination): (&Location, &Location),
    choice: &Choice,
    execution: &Execution,
    dry_run: bool,
    planned: &dyn Fn(&Plan),
) -> Result<Transferred, Failure> {
    refuse_same_file(source, destination)?;
    if choice.referrers && destination.holds_one_platform() {
        return Err(
            unfit("--referrers", "no Docker archive and no Docker daemon holds referrers", "write oci:DIR").into()
        );
    }
    // Whether it is there is known before the work.
    let daemon = if destination.is_daemon() && !dry_run { Some(ends.daemon()?) } else { None };
    let from = ends.source(source, execution)?;
    let names = names(source, &from.descriptor, destination);
    let root = Root { descriptor: from.descriptor.clone(), names };
    if destination.holds_one_platform() {
        let (plan, moved, root) = into_store(ends, &from, &root, destination, choice, execution, dry_run, planned)?;
        if dry_run {
            return Ok(Transferred { root, plan, moved });
        }
        let store = StoreSource::open(ends.store.clone())?;
        let roots = std::slice::from_ref(&root);
        match daemon {
            Some(daemon) => daemon.load(&store, roots, execution)?,
            None => {
                let sink = ends.sink(destination)?;
                let plan = copy::plan(&store, sink.as_ref(), roots, &Choice::default())?;
                copy::execute(&plan, &store, sink, execution)?;
            }
        }
        return Ok(Transferred { root, plan, moved });
    }
    // What is refused leaves nothing, not even an empty target.
    let (asked, is_absent) = match untouched(destination) {
        Some(stand_in) => (stand_in, true),
        None => (ends.sink(destination)?, false),
    };
    let plan = copy::plan(from.source.as_ref(), asked.as_ref(), &[root], choice)?;
    let root = chosen(&plan)?;
    check_digest(destination, &root)?;
    planned(&plan);
    let mut moved = Moved::default();
    if !dry_run {
        let sink = if is_absent { ends.sink(destination)? } else { asked };
        moved = copy::execute(&plan, from.source.as_ref(), sink, execution).map_err(|error| sparse(error, &plan))?;
    }
    Ok(Transferred { root, plan, moved })
}

/// Brings what is chosen of an image into the store: where layers are unpacked, they were verified before. Nothing is named
/// there.
#[allow(clippy::too_many_arguments, reason = "it is a part of the one above")]
fn into_store(
    ends: &Ends,
    from: &Opened,
    root: &Root,
    destination: &Location,
    choice: &Choice,
    execution: &Execution,
    dry_run: bool,
    planned: &dyn Fn(&Plan),
) -> Result<(Plan, Moved, Root), Failure> {
    let source = from.source.as_ref();
    let store = LayoutSink::of_store(&ends.store);
    let mut plan = copy::plan(source, &store, std::slice::from_ref(root), choice)?;
    copy::one_platform(&plan, source, &destination.place())?;
    let root = chosen(&plan)?;
    planned(&plan);
    let mut moved = Moved::default();
    if !dry_run && !from.in_store {
        plan.roots.clear();
        moved = copy::execute(&plan, source, Box::new(store), execution)?;
    }
    Ok((plan, moved, root))
}

/// The root of a plan for one.
fn chosen(plan: &Plan) -> Result<Root, Failure> {
    let root = plan.roots.iter().chain(&plan.there).next().cloned();
    root.ok_or_else(|| CliError::Worker("a plan lost its root".to_owned()).into())
}

/// A stand-in for a target that is not there yet, to be asked before it is made.
fn untouched(destination: &Location) -> Option<Box<dyn Sink>> {
    let is_absent = match destination {
        Location::Layout { folder, .. } => !folder.join("oci-layout").exists(),
        Location::Archive { .. } => true,
        _ => false,
    };
    is_absent.then(|| -> Box<dyn Sink> { Box::new(OciArchiveSink::new(Archive::to(&destination.place(), io::sink()))) })
}

/// The names that an image gets in the target: the one that is written there, else its own.
fn names(source: &Location, found: &Descriptor, destination: &Location) -> Vec<String> {
    let own = own_name(source, found, destination);
    let name = match destination {
        // A digest names nothing, it is compared.
        Location::Registry { reference, .. } if reference.tag.is_some() || reference.digest.is_some() => {
            reference.tag.clone()
        }
        // As skopeo and Docker have it, whatever the image is called where it comes from.
        Location::Registry { .. } => Some("latest".to_owned()),
        // A name of an image is no digest; with both the tag counts.
        Location::Store { name: Some(name) } => match name.parse::<Reference>() {
            Ok(Reference { digest: Some(_), tag: None, .. }) => None,
            Ok(reference) => Some(Reference { digest: None, ..reference }.to_string()),
            Err(_) => Some(name.clone()),
        },
        other => other.name().cloned().or(own),
    };
    name.into_iter().collect()
}

fn is_tag(text: &str) -> bool {
    format!("a:{text}").parse::<Reference>().is_ok_and(|reference| reference.digest.is_none())
}

fn is_by_digest(source: &Location) -> bool {
    source.name().is_some_and(|name| name.parse::<crate::digest::Digest>().is_ok())
}

/// The name that the source has for it.
fn own_name(source: &Location, found: &Descriptor, destination: &Location) -> Option<String> {
    let is_reference = |name: &str| name.parse::<Reference>().is_ok_and(|reference| reference.digest.is_none());
    let is_name = |name: &String| is_reference(name) || is_tag(name);
    match source {
        Location::Registry { reference, .. } => {
            let tag = match (&reference.tag, reference.digest) {
                // Who asks for a digest alone means no name.
                (None, Some(_)) => return None,
                (tag, _) => tag.clone().unwrap_or_else(|| "latest".to_owned()),
            };
            // Where images have whole names only, and where a tag is to be taken from it, it is the whole one.
            let whole = destination.holds_one_platform() || matches!(destination, Location::Registry { .. });
            Some(if whole { format!("{}:{tag}", reference.repository) } else { tag })
        }
        other if is_by_digest(other) => None,
        other => {
            let written = other.name().cloned().filter(is_name);
            let name = written.or_else(|| name_of(found).filter(is_name))?;
            // A mere tag would become a name of Docker's.
            let is_whole = !destination.holds_one_platform() || name.contains([':', '/']);
            is_whole.then_some(name)
        }
    }
}

/// A digest that is written beside a target must be the image's.
fn check_digest(destination: &Location, root: &Root) -> Result<(), Failure> {
    match destination {
        Location::Registry { reference, .. } if reference.digest.is_some_and(|own| own != root.descriptor.digest) => {
            let why = format!("the image has the digest {}, and another is written there", root.descriptor.digest);
            Err(CliError::Flags { flag: "DST", why, hint: "leave out `@` and what follows".to_owned() }.into())
        }
        _ => Ok(()),
    }
}

/// An archive that is written over while it is read.
fn refuse_same_file(source: &Location, destination: &Location) -> Result<(), Failure> {
    let file = |location: &Location| match location {
        Location::Archive { file: ArchiveFile::Path(path), .. } => {
            fs::canonicalize(path).ok().filter(|path| path.is_file())
        }
        _ => None,
    };
    match (file(source), file(destination)) {
        (Some(one), Some(other)) if one == other => {
            Err(unfit("DST", "it is the source too, whose other images would be gone", "name another file").into())
        }
        _ => Ok(()),
    }
}

fn unfit(flag: &'static str, why: &str, hint: &str) -> CliError {
    CliError::Flags { flag, why: why.to_owned(), hint: hint.to_owned() }
}

/// A registry need not take an index whose manifests are not all there (distribution-spec 1.1, "Pushing Manifests").
fn sparse(error: CopyError, plan: &Plan) -> CopyError {
    match error {
        CopyError::Failed { place, what, why, category: Category::Refused, .. }
            if plan.sparse.iter().any(|index| what.contains(&index.digest.to_string()))
                || plan.roots.iter().any(|root| is_sparse(root, plan) && root.names.contains(&what)) =>
        {
            CopyError::Failed {
                place,
                what,
                why: format!("it takes no index whose platforms are not all there: {why}"),
                category: Category::Refused,
                hint: Some("choose one platform, or let --new-index make an index of those chosen".to_owned()),
            }
        }
        error => error,
    }
}

fn is_sparse(root: &Root, plan: &Plan) -> bool {
    plan.sparse.iter().any(|index| index.digest == root.descriptor.digest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::values;
    use crate::digest::Digest;
    use crate::oci::media_type;
    use crate::store::NAME;

    #[test]
    fn names_in_the_target() {
        let digest = Digest::of(b"x");
        let by_digest = format!("docker://r.example/a@{digest}");
        let (of_layout, both) = (format!("oci:lay@{digest}"), format!("docker://r.example/a:1@{digest}"));
        for (source, own, target, expected) in [
            // The one that is written.
            ("oci:lay:app:1", None, "oci:out:b:2", Some("b:2")),
            ("docker://r.example/a:1", None, "docker://s.example/b:2", Some("2")),
            ("oci:lay", Some("app:1"), "docker-daemon:b:2", Some("b:2")),
            // Else its own.
            ("oci:lay:app:1", Some("app:1"), "oci:out", Some("app:1")),
            ("oci:lay", Some("app:1"), "oci-archive:out.tar", Some("app:1")),
            ("oci:lay:@0", Some("app:1"), "oci:out", Some("app:1")),
            ("oci:lay", None, "oci:out", None),
            ("docker://r.example/a:1", None, "oci:out", Some("1")),
            ("docker://r.example/a", None, "oci:out", Some("latest")),
            // Docker's names are whole ones.
            ("docker://r.example/a:1", None, "docker-archive:out.tar", Some("r.example/a:1")),
            ("oci:lay:app:1", None, "docker-archive:out.tar", Some("app:1")),
            ("oci:lay:1", Some("1"), "docker-archive:out.tar", None),
            // A registry without a tag is as skopeo has it.
            ("store:kafka:3.5.2", None, "docker://r.example/kafka", Some("latest")),
            ("docker://r.example/a:1", None, "docker://s.example/b", Some("latest")),
            ("docker://localhost:5000/a", None, "docker://s.example/b", Some("latest")),
            ("oci:lay", None, "docker://s.example/b", Some("latest")),
            ("oci:lay:1", None, "docker://s.example/b", Some("latest")),
            ("oci:lay", Some("V1"), "docker://s.example/b", Some("latest")),
            ("oci:lay", Some("V1"), "oci:out", Some("V1")),
            ("oci:lay", Some("no name!"), "docker://s.example/b", Some("latest")),
            ("store:app", None, "docker://s.example/b", Some("latest")),
            // Who asks for a digest means no name.
            (&by_digest, None, "docker://s.example/b", Some("latest")),
            (&by_digest, None, "oci:out", None),
            (&of_layout, Some("app:1"), "docker://s.example/b", Some("latest")),
            (&of_layout, Some("app:1"), "oci:out", None),
            (&of_layout, Some("app:1"), "oci:out:c:1", Some("c:1")),
            ("oci:lay:app:1", None, &by_digest, None),
            ("oci:lay:app:1", None, &both, Some("1")),
        ] {
            let mut found = Descriptor::new(media_type::MANIFEST, digest, 1);
            found.annotations.extend(own.map(|own| (NAME.to_owned(), own.to_owned())));
            let names = names(&values::source(source).unwrap(), &found, &values::location(target).unwrap());
            assert_eq!(names, expected.into_iter().collect::<Vec<_>>(), "{source} {target}");
        }
    }
}
