//! Where definitions, locks, keys and shipped files are found: built into kimg, or a folder laid out as `images/`.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use super::user::{Document, User};
use super::{Definition, DefinitionError, embedded, parse, version};
use crate::lock::{self, Lock, LockError};

/// No image stands on more bases.
pub(crate) const MAX_BASES: usize = 8;

/// A set of definitions with all that they name; cheap to clone.
#[derive(Clone)]
pub struct Catalog {
    files: Arc<BTreeMap<String, Cow<'static, [u8]>>>,
    is_builtin: bool,
    user: Option<Arc<User>>,
}

impl Catalog {
    /// What ships with kimg.
    pub fn builtin() -> Catalog {
        let files = embedded::FILES.iter().map(|(path, bytes)| ((*path).to_owned(), Cow::Borrowed(*bytes)));
        Catalog { files: Arc::new(files.collect()), is_builtin: true, user: None }
    }

    /// These files, by their path below a folder laid out as `images/`.
    pub fn of(files: impl IntoIterator<Item = (String, Vec<u8>)>) -> Catalog {
        let files = files.into_iter().map(|(path, bytes)| (path, Cow::Owned(bytes)));
        Catalog { files: Arc::new(files.collect()), is_builtin: false, user: None }
    }

    /// The same with a definition of the user's, which lies in `folder`; `lock` is the name of its lock, and the text
    /// where there is one.
    pub fn with_user(
        &self,
        document: Document,
        folder: PathBuf,
        lock: (String, Option<String>),
    ) -> Result<Catalog, DefinitionError> {
        let without = Catalog { user: None, ..self.clone() };
        let user = document.in_catalog(&without, folder, lock)?;
        Ok(Catalog { user: Some(Arc::new(user)), ..without })
    }

    /// The same where the user's definition has this lock.
    #[must_use]
    pub fn with_user_lock(&self, lock: String) -> Catalog {
        let with = |user: &Arc<User>| Arc::new(User { lock: Some(lock), ..User::clone(user) });
        Catalog { user: self.user.as_ref().map(with), ..self.clone() }
    }

    /// The user's definition.
    pub fn user(&self) -> Option<&User> {
        self.user.as_deref()
    }

    /// All families, by name.
    pub fn families(&self) -> Result<Vec<Family>, DefinitionError> {
        let names = self.files.keys().filter_map(|path| path.strip_suffix("/image.toml"));
        names.filter_map(|name| self.family(name).transpose()).collect()
    }

    /// One family; `None` where there is none of that name.
    pub fn family(&self, name: &str) -> Result<Option<Family>, DefinitionError> {
        if let Some(user) = self.user.as_ref().filter(|user| user.definition.name == name) {
            let (definition, catalog, user) = (user.definition.clone(), self.clone(), Some(user.clone()));
            return Ok(Some(Family { definition, catalog, more_keys: Vec::new(), user }));
        }
        let path = format!("{name}/image.toml");
        let Some(text) = self.text(&path) else { return Ok(None) };
        let definition = parse(&text, &path)?;
        Ok(Some(Family { definition, catalog: self.clone(), more_keys: Vec::new(), user: None }))
    }

    /// A file, by its path.
    pub fn file(&self, path: &str) -> Option<&[u8]> {
        self.files.get(path).map(AsRef::as_ref)
    }

    fn text(&self, path: &str) -> Option<Cow<'_, str>> {
        self.file(path).map(String::from_utf8_lossy)
    }
}

impl fmt::Debug for Catalog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.files.keys()).finish()
    }
}

/// A definition and its locks.
#[derive(Debug, Clone)]
pub struct Family {
    /// The definition.
    pub definition: Definition,
    catalog: Catalog,
    /// Keys that the user trusts besides the definition's.
    more_keys: Vec<u8>,
    user: Option<Arc<User>>,
}

impl Family {
    /// The versions that have a lock, the oldest first: 3.8.4 before 3.10.0.
    pub fn versions(&self) -> Vec<&str> {
        let locked = |version: &&str| self.catalog.file(&self.lock_path(version)).is_some();
        let mut versions: Vec<&str> = self.definition.versions.keys().map(String::as_str).filter(locked).collect();
        versions.sort_by(|one, other| version::compare(one, other));
        versions
    }

    /// The variants of a version, by name, with those of its bases; each with one line for people.
    pub fn variants(&self, version: &str) -> Result<BTreeMap<String, String>, DefinitionError> {
        let mut all = BTreeMap::new();
        let mut next = Some((self.clone(), version.to_owned()));
        // More bases than any image has would be a loop, which a build tells; so does it of a lock that cannot be read.
        for _ in 0..=MAX_BASES {
            let Some((family, version)) = next else { break };
            let lock = family.lock(&version).and_then(Result::ok);
            for (name, line) in lock.iter().flat_map(|lock| lock::variants(lock, &family.definition)) {
                all.entry(name.to_owned()).or_insert_with(|| line.to_owned());
            }
            let base = family.definition.base.as_ref().and_then(|base| base.split_once(':'));
            next = match base {
                Some((name, version)) => self.catalog.family(name)?.map(|family| (family, version.to_owned())),
                None => None,
            };
        }
        Ok(all)
    }

    /// Whether `kimg images` offers it: bases are parts of images, not images.
    pub fn is_offered(&self) -> bool {
        self.definition.base.is_some()
    }

    /// Whether its definition and locks ship with kimg, so that they were reviewed with its sources.
    pub fn is_builtin(&self) -> bool {
        self.catalog.is_builtin && self.user.is_none()
    }

    /// What it is as a definition of the user's, if it is one.
    pub fn user(&self) -> Option<&User> {
        self.user.as_deref()
    }

    /// The lock of a version; `None` where there is none.
    pub fn lock(&self, version: &str) -> Option<Result<Lock, LockError>> {
        if let Some(user) = self.user().filter(|user| user.version == version) {
            let parsed = lock::parse(user.lock.as_ref()?, &user.lock_file);
            return Some(parsed.map_err(|error| LockError::OfUser { file: user.file.clone(), error: Box::new(error) }));
        }
        let path = self.lock_path(version);
        let text = self.catalog.text(&path)?;
        Some(lock::parse(&text, &path))
    }

    /// The digests of a version's entries, one line each: what `kimg lock` wrote beside the lock.
    pub fn entries(&self, version: &str) -> Option<Cow<'_, str>> {
        self.catalog.text(&format!("{}/{version}.entries", self.definition.name))
    }

    /// A file that ships with the definition for a version, by its path in the folder of the version, `4.3.0`, of those
    /// that share its first numbers, `4.3` and `4`, or else of the family: the first that has it.
    pub fn file(&self, version: &str, path: &str) -> Option<&[u8]> {
        let name = &self.definition.name;
        let of_version = version::lines(version).find_map(|line| self.catalog.file(&format!("{name}/{line}/{path}")));
        of_version.or_else(|| self.catalog.file(&format!("{name}/{path}")))
    }

    /// The text of all keys that the definition trusts; an error is the path of one that is not there.
    pub fn keys(&self) -> Result<Vec<u8>, String> {
        let mut text = Vec::new();
        for path in &self.definition.keys {
            text.extend_from_slice(self.catalog.file(path).ok_or(path)?);
            text.push(b'\n');
        }
        text.extend_from_slice(&self.more_keys);
        Ok(text)
    }

    /// The same family with keys that are trusted besides the definition's.
    #[must_use]
    pub fn trusting(self, keys: &[u8]) -> Family {
        Family { more_keys: keys.to_vec(), ..self }
    }

    fn lock_path(&self, version: &str) -> String {
        format!("{}/{version}.lock.toml", self.definition.name)
    }
}
