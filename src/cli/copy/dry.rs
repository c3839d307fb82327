use std::path::Path;

use crate::cli::Failure;
use crate::cli::places::Ends;
use crate::cli::values::{ArchiveKind, Location};
use crate::copy::{Blob, CopyError, Form, Have, Origin, Plan, Root, Sink, Taken};
use crate::oci::Descriptor;

/// The target as it is, without making it: for a plan that nobody does.
pub(super) fn sink(ends: &Ends, target: &Location) -> Result<Box<dyn Sink>, Failure> {
    let form = match target {
        Location::Layout { folder, .. } if is_new(folder) => Form::AsIs,
        Location::Archive { kind: ArchiveKind::Oci, .. } => Form::AsIs,
        Location::Archive { kind: ArchiveKind::Docker, .. } => Form::Tars,
        _ => return ends.sink(target),
    };
    Ok(Box::new(New { place: target.place(), form }))
}

/// Whether a layout would be made there.
fn is_new(folder: &Path) -> bool {
    #[allow(clippy::disallowed_methods, reason = "only whether there is anything counts")]
    let is_empty = || folder.read_dir().is_ok_and(|mut entries| entries.next().is_none());
    !folder.exists() || is_empty()
}

/// A target that is not there yet, so that nothing lies in it.
struct New {
    place: String,
    form: Form,
}

impl Sink for New {
    fn describe(&self) -> String {
        self.place.clone()
    }

    fn form(&self) -> Form {
        self.form
    }

    fn have(&self, blobs: &[Descriptor], _: Option<&Origin>) -> Result<Vec<Have>, CopyError> {
        Ok(vec![Have::Absent; blobs.len()])
    }

    fn begin(&mut self, _: &Plan) -> Result<(), CopyError> {
        Ok(())
    }

    fn take_blob(&self, _: &Blob<'_>, _: &dyn Fn(u64)) -> Result<Taken, CopyError> {
        Ok(Taken::Present)
    }

    fn take_manifest(&self, _: &Descriptor, _: &[u8]) -> Result<(), CopyError> {
        Ok(())
    }

    fn finish(self: Box<Self>, _: &[Root]) -> Result<(), CopyError> {
        Ok(())
    }
}
