//! An image whose manifest is known, though not all of its layers were made.
//!
//! What its lock says of a layer is what must come out, so digest and size are known before the layer is made, and with
//! them the manifest. Where the image goes to a place that has the layer, nothing of it is fetched.

use std::sync::Arc;

use super::base::BaseImage;
use super::image;
use super::image_source::ImageSource;
use super::make;
use super::recipe::Recipe;
use super::reuse::Reuse;
use super::{BuildError, Built, Request, Workshop, local};
use crate::copy::CopyError;
use crate::event::{Outcome, TaskKind};
use crate::layer::{Compression, Pool};
use crate::oci::{self, Descriptor, media_type};
use crate::store::Lease;

/// An image under way. What it is made of stays in the store while this lives.
#[derive(Debug)]
pub struct Outline {
    built: Built,
    names: Vec<String>,
    images: Vec<OutlinedImage>,
    compression: Compression,
    workshop: Workshop,
    pool: Pool,
    _lease: Lease,
}

/// The image of one platform.
#[derive(Debug)]
pub(super) struct OutlinedImage {
    pub recipe: Arc<Recipe>,
    pub base: Option<BaseImage>,
    /// Layers that were not made: the number of the step, and what must come out.
    pub known: Vec<(usize, Descriptor)>,
}

/// Makes what cannot be known without it: with [`Reuse::Nothing`] all of the image, which [`Outline::complete`] names.
pub async fn outline(request: &Request, workshop: &Workshop, reuse: Reuse) -> Result<Outline, BuildError> {
    let lease = workshop.store.lease()?;
    let recipes = Recipe::resolve(&workshop.catalog, request)?;
    let Some(first) = recipes.first().cloned() else { return Err(BuildError::Worker("no platform".to_owned())) };
    make::warn(&first, workshop);
    local::check_files(&workshop.catalog)?;
    if request.locked {
        recipes.iter().try_for_each(make::check_locked)?;
    }
    let pool = Pool::new(workshop.threads);
    let (mut built, mut images) = (Vec::new(), Vec::new());
    for recipe in recipes {
        let (one, outlined) = make::image(&Arc::new(recipe), request, workshop, &pool, reuse).await?;
        built.push(one);
        images.push(outlined);
    }
    let manifest = match built.as_slice() {
        [image] => image.manifest.clone(),
        several => {
            let manifests = several.iter().map(|image| image.manifest.clone()).collect();
            workshop.store.put(media_type::INDEX, &oci::to_bytes(&image::index(&first, request, manifests)))?
        }
    };
    let mut names = vec![first.name.clone()];
    names.extend(request.tags.iter().filter(|tag| **tag != first.name).cloned());
    Ok(Outline {
        built: Built { name: first.name, manifest, images: built },
        names,
        images,
        compression: request.compression,
        workshop: workshop.clone(),
        pool,
        _lease: lease,
    })
}

impl Outline {
    /// What it is.
    pub fn built(&self) -> &Built {
        &self.built
    }

    /// It as a source for places that have what is lacking here.
    pub fn source(&self) -> Result<ImageSource, CopyError> {
        ImageSource::new(&self.workshop.store, self.images.iter().filter_map(|image| image.base.as_ref()))
    }

    /// Makes the layers that are wanted, of those that were not; how many there are.
    pub async fn make(&mut self, wanted: impl Fn(&Descriptor) -> bool) -> Result<usize, BuildError> {
        let mut count = 0;
        for (image, built) in self.images.iter_mut().zip(&mut self.built.images) {
            let is_wanted = |(_, layer): &(usize, Descriptor)| wanted(layer);
            let (steps, rest): (Vec<_>, Vec<_>) = std::mem::take(&mut image.known).into_iter().partition(is_wanted);
            image.known = rest;
            // A platform before may have made it.
            let (here, steps): (Vec<_>, Vec<_>) =
                steps.into_iter().partition(|(_, layer)| self.workshop.store.has(layer));
            drop(here);
            make::known(&image.recipe, &steps, self.compression, &self.workshop, &self.pool).await?;
            let below = image.base.as_ref().map_or(0, |base| base.layers.len());
            for (index, _) in &steps {
                if let Some((_, _, how)) = built.layers.get_mut(below + index) {
                    *how = "built";
                }
            }
            count += steps.len();
        }
        Ok(count)
    }

    /// Makes and brings all that is lacking, and gives the image its names in the store.
    pub async fn complete(&mut self) -> Result<(), BuildError> {
        self.make(|_| true).await?;
        for base in self.images.iter().filter_map(|image| image.base.as_ref()) {
            base.pull(&self.workshop).await?;
        }
        self.name()
    }

    /// Gives the image its names in the store, where all of it is there.
    pub fn finish(self) -> Result<Built, BuildError> {
        self.name()?;
        for image in &self.images {
            let steps = image.recipe.steps().enumerate();
            let left = steps.filter(|(index, _)| image.known.iter().any(|(other, _)| other == index));
            for (_, step) in left {
                self.workshop.events.task(TaskKind::Layer, &step.layer.name, None).finish(Outcome::Present);
            }
        }
        Ok(self.built)
    }

    /// No name points at a part of an image.
    fn name(&self) -> Result<(), BuildError> {
        let has = |layer: &Descriptor| self.workshop.store.has(layer);
        let mut layers = self.built.images.iter().flat_map(|image| &image.layers);
        if layers.all(|(_, layer, _)| has(layer)) {
            self.workshop.store.name(&self.names, &self.built.manifest)?;
        }
        Ok(())
    }
}
