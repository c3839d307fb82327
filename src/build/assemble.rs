//! One layer out of its inputs: packages, then single files, then what the rules of the definition add, in one pass
//! into the writer.

use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::sync::Arc;

use super::BuildError;
use super::packages;
use super::recipe::Step;
use super::rules;
use super::shape::Shape;
use super::shipped;
use super::unpack;
use crate::definition::{Generate, Link, parse_mode};
use crate::digest::Digest;
use crate::layer::{Entry, EntryKind, EntryPath, LayerWriter, Origin, zip_member};
use crate::lock::{Input, Upstream};
use crate::store::Downloads;

/// Licences and notices are short; a member that is not is no licence.
const MEMBER_LIMIT: u64 = 4 << 20;

/// A layer under way.
pub(super) struct Assembly<'a, W: Write + Send> {
    pub step: Step<'a>,
    pub downloads: &'a Downloads,
    writer: LayerWriter<W>,
    /// Contents of packaged files that rules ask for.
    pub collected: BTreeMap<EntryPath, Vec<u8>>,
    /// What scanners are told of each package.
    pub packages: Vec<rules::Package>,
    shape: Shape,
}

impl<'a, W: Write + Send> Assembly<'a, W> {
    pub fn new(step: Step<'a>, downloads: &'a Downloads, writer: LayerWriter<W>) -> Assembly<'a, W> {
        let (collected, packages, shape) = (BTreeMap::new(), Vec::new(), Shape::default());
        Assembly { step, downloads, writer, collected, packages, shape }
    }

    /// Writes all entries of the layer; the caller finishes the writer.
    pub fn run(mut self) -> Result<(LayerWriter<W>, Shape), BuildError> {
        let (packaged, others): (Vec<&Input>, Vec<&Input>) =
            self.step.inputs().into_iter().partition(|input| input.upstream.is_debian());
        let (archives, single): (Vec<&Input>, Vec<&Input>) =
            others.into_iter().partition(|input| input.upstream == Upstream::Url);
        for input in packaged {
            packages::add(&mut self, input)?;
        }
        self.add_folders()?;
        self.add_links()?;
        for input in &single {
            self.add_single(input)?;
        }
        self.add_archives(&archives)?;
        self.add_extracts(&single)?;
        self.add_generated()?;
        shipped::add(&mut self)?;
        Ok((self.writer, self.shape))
    }

    /// Adds an entry.
    pub fn add(&mut self, entry: Entry, content: &mut dyn Read) -> Result<(), BuildError> {
        self.shape.note(&entry);
        if self.step.part.family.user().is_some() {
            self.shape.note_through(&entry);
        }
        Ok(self.writer.add(entry, content)?)
    }

    /// Adds a file of bytes that are here.
    pub fn file(&mut self, path: &str, mode: u32, bytes: &[u8], input: &str, rule: &str) -> Result<(), BuildError> {
        let kind = EntryKind::File { size: bytes.len() as u64 };
        self.entry(path, kind, mode, (0, 0), input, rule, &mut &bytes[..])
    }

    /// Adds a symbolic link.
    pub fn link(&mut self, path: &str, target: &str, rule: &str) -> Result<(), BuildError> {
        let kind = EntryKind::Symlink { target: target.as_bytes().to_vec() };
        self.entry(path, kind, 0o777, (0, 0), "definition", rule, &mut io::empty())
    }

    #[allow(clippy::too_many_arguments, reason = "one place that makes entries out of text")]
    fn entry(
        &mut self,
        path: &str,
        kind: EntryKind,
        mode: u32,
        (uid, gid): (u32, u32),
        input: &str,
        rule: &str,
        content: &mut dyn Read,
    ) -> Result<(), BuildError> {
        let origin = Origin { input: Arc::from(input), rule: Arc::from(rule) };
        let entry = Entry { path: EntryPath::new(path.as_bytes())?, kind, mode, uid, gid, origin };
        self.add(entry, content)
    }

    fn add_folders(&mut self) -> Result<(), BuildError> {
        for (path, folder) in &self.step.layer.folders {
            let mode = parse_mode(&folder.mode).unwrap_or(0o755);
            let owner = (folder.uid, folder.gid);
            self.entry(path, EntryKind::Directory, mode, owner, "definition", "folders", &mut io::empty())?;
        }
        Ok(())
    }

    fn add_links(&mut self) -> Result<(), BuildError> {
        let step = self.step;
        let is_in = |path: &str, link: &Link| link.is_for(step.platform) && !step.leaves_out(path);
        for (path, link) in step.layer.links.iter().filter(|(path, link)| is_in(path, link)) {
            self.link(&step.expand(path), &step.expand(link.to()), "links")?;
        }
        Ok(())
    }

    fn add_single(&mut self, input: &Input) -> Result<(), BuildError> {
        let Some(into) = &self.step.layer.into else {
            let layer = self.step.layer.name.clone();
            return Err(BuildError::NothingMatches { layer, rule: "into", pattern: input.name.clone() });
        };
        let path = format!("{into}/{}", input.file_name());
        let mut content = self.downloads.open(&input.sha256.into(), input.size)?;
        let kind = EntryKind::File { size: input.size };
        self.entry(&path, kind, 0o644, (0, 0), &input.name, "into", &mut content)
    }

    fn add_archives(&mut self, inputs: &[&Input]) -> Result<(), BuildError> {
        for archive in &self.step.layer.archives {
            let is_it = |input: &&&Input| {
                input.url.as_ref() == Some(&archive.url) && Digest::from(input.sha256) == archive.sha256
            };
            let (layer, pattern) = (self.step.layer.name.clone(), archive.url.clone());
            let input = inputs.iter().find(is_it);
            let input = input.ok_or(BuildError::NothingMatches { layer, rule: "archive", pattern })?;
            unpack::add(self, archive, input)?;
        }
        Ok(())
    }

    fn add_extracts(&mut self, inputs: &[&Input]) -> Result<(), BuildError> {
        let step = self.step;
        for extract in &step.layer.extract {
            let from = step.expand(&extract.from);
            let nothing = |pattern: String| BuildError::NothingMatches {
                layer: step.layer.name.clone(),
                rule: "extract",
                pattern,
            };
            let input = inputs.iter().find(|input| input.file_name() == from).ok_or_else(|| nothing(from.clone()))?;
            let archive = self.downloads.open(&input.sha256.into(), input.size)?;
            let bytes = zip_member(archive, &input.name, &extract.member, MEMBER_LIMIT)?
                .ok_or_else(|| nothing(format!("{from}!{}", extract.member)))?;
            self.file(&step.expand(&extract.to), 0o644, &bytes, &input.name, "extract")?;
        }
        Ok(())
    }

    fn add_generated(&mut self) -> Result<(), BuildError> {
        let step = self.step;
        for rule in &step.layer.generate {
            for (path, bytes) in rules::run(rule, &self.collected, &self.packages, &step.layer.name)? {
                self.file(&path, 0o644, &bytes, "definition", rule_name(rule))?;
            }
        }
        Ok(())
    }
}

/// A rule's name as definitions write it.
pub(super) fn rule_name(rule: &Generate) -> &'static str {
    match rule {
        Generate::CaBundle { .. } => "ca-bundle",
        Generate::JavaTruststore { .. } => "java-truststore",
        Generate::Accounts { .. } => "accounts",
        Generate::Copy { .. } => "copy",
        Generate::Text { .. } => "text",
        Generate::PackageStatus { .. } => "package-status",
    }
}
