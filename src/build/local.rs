//! Layers of a user's definition that hold files beside it, and what all layers of such a definition must respect.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::additions::{Additions, own_error};
use super::image::FinishedLayer;
use super::recipe::Step;
use super::shape::Shape;
use super::{Addition, BuildError};
use crate::definition::Catalog;
use crate::definition::user::{Place, User};

/// What a layer of the user's files holds.
pub(super) fn additions(step: &Step<'_>, user: &User) -> Additions {
    let layer = step.layer;
    let addition = |file: &crate::definition::user::LocalFile| Addition {
        from: user.folder.join(&file.from),
        to: format!("/{}", file.to),
        mode: file.mode,
    };
    Additions {
        name: layer.name.clone(),
        history: step.history(),
        add: layer.local.iter().map(addition).collect(),
        authorities: layer.authorities.iter().map(|path| user.folder.join(path)).collect(),
    }
}

/// Whether all files that the catalog's definition of a user's names are there and lie in its folder: to be told before
/// anything is fetched.
pub fn check_files(catalog: &Catalog) -> Result<(), BuildError> {
    let Some(user) = catalog.user() else { return Ok(()) };
    let files = user.layers.iter().flat_map(|layer| &layer.files);
    let files = files.map(|file| (&file.value.from, file.place));
    let authorities = user.layers.iter().flat_map(|layer| &layer.authorities).map(|path| (&path.value, path.place));
    for (path, place) in files.chain(authorities) {
        check_file(user, path, place)?;
    }
    Ok(())
}

fn check_file(user: &User, path: &str, place: Place) -> Result<(), BuildError> {
    let wrong = |message: String, hint: &str| place.wrong(&user.file, &message, Some(hint.to_owned())).into();
    let canonical = |path: &Path| -> io::Result<PathBuf> { fs::canonicalize(path) };
    let failed = |error: io::Error| {
        wrong(format!("`{}`: {error}", path.escape_debug()), "the path begins at the folder of the definition")
    };
    let folder = canonical(&user.folder).map_err(failed)?;
    let found = canonical(&user.folder.join(path)).map_err(failed)?;
    match found.starts_with(&folder) {
        true => Ok(()),
        false => Err(wrong(
            format!("`{}` is a link that leads outside the folder of the definition", path.escape_debug()),
            "copy what it leads to beside the definition, or use --add",
        )),
    }
}

/// Whether a layer that was made without a look at those below leaves their links and folders as they are.
pub(super) fn check_through(step: &Step<'_>, layer: &FinishedLayer, below: &[FinishedLayer]) -> Result<(), BuildError> {
    let mut shape = Shape::default();
    below.iter().for_each(|layer| shape.cover(&layer.shape));
    let wrong = |path: &str, why: String| own_error(&step.layer.name, path, &why);
    for path in layer.shape.through() {
        if let Some(target) = shape.link(path) {
            return Err(wrong(
                path,
                format!("it is a link to {target} in the image below: write the path that it leads to"),
            ));
        }
        if let Some((mode, uid, gid)) = shape.unusual_folder(path).filter(|there| *there != layer.shape.folder(path)) {
            let why = format!(
                "the image below has this folder with mode {mode:o} and owner {uid}:{gid}, which would be lost"
            );
            return Err(wrong(path, why));
        }
    }
    Ok(())
}
