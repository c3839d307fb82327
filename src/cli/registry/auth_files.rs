//! Files of credentials: where they are, and what they say.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::RegistryName;
use super::helper::Helper;
use crate::cli::{CliError, Environment, files};
use crate::transport::registry::{
    AuthFile, Credentials, InvalidAuthFile, Repository, stands_for, with_entry, without_entry,
};

/// The files, in the order in which containers' tools and then Docker look for them (containers-auth.json(5)).
#[derive(Debug, Clone)]
pub(in crate::cli) struct AuthFiles {
    paths: Vec<PathBuf>,
    /// Whether the user named it, so that it must be there.
    named: bool,
    /// The one that is written to.
    own: Option<PathBuf>,
}

/// Where credentials were put.
#[derive(Debug)]
pub(in crate::cli) enum Saved {
    /// Into a file.
    File(PathBuf),
    /// A program keeps them, because a file says so.
    Program(String),
}

impl AuthFiles {
    pub(super) fn new(named: Option<&Path>, environment: &Environment) -> AuthFiles {
        if let Some(named) = named.map(Path::to_owned).or_else(|| environment.path("REGISTRY_AUTH_FILE")) {
            return AuthFiles { paths: vec![named.clone()], named: true, own: Some(named) };
        }
        let home = environment.absolute("HOME");
        let configuration =
            environment.absolute("XDG_CONFIG_HOME").or_else(|| home.as_ref().map(|home| home.join(".config")));
        let docker = environment.path("DOCKER_CONFIG").or_else(|| home.map(|home| home.join(".docker")));
        let runtime = environment.absolute("XDG_RUNTIME_DIR").map(|folder| folder.join("containers/auth.json"));
        // Where podman has it without a session.
        let machine = || PathBuf::from(format!("/run/containers/{}/auth.json", rustix::process::getuid().as_raw()));
        let first = runtime.clone().unwrap_or_else(machine);
        let second = configuration.map(|folder| folder.join("containers/auth.json"));
        let own = runtime.or_else(|| Some(first.clone()).filter(|first| first.exists())).or_else(|| second.clone());
        let third = docker.map(|folder| folder.join("config.json"));
        AuthFiles { paths: [Some(first), second, third].into_iter().flatten().collect(), named: false, own }
    }

    /// Who to be at a repository. In each file a program of the registry's own comes first, then what the file says, then
    /// the program for all others.
    pub(in crate::cli) fn find(&self, repository: &Repository) -> Result<Option<Credentials>, CliError> {
        for path in &self.paths {
            let Some((_, file)) = self.read(path, self.named)? else { continue };
            let ask = |name: Option<&str>| match name {
                Some(name) => helper(path, name)?.get(&repository.registry),
                None => Ok(None),
            };
            if let Some(found) = ask(file.own_helper(&repository.registry))? {
                return Ok(Some(found));
            }
            if let Some(found) = file.find(repository).map_err(|error| invalid(path, &error))? {
                return Ok(Some(found));
            }
            if let Some(found) = ask(file.helper_of_all())? {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    /// Keeps a user and password.
    pub(in crate::cli) fn save(&self, name: &RegistryName, user: &str, password: &str) -> Result<Saved, CliError> {
        let path = self.own.as_ref().ok_or_else(|| CliError::Flags {
            flag: "--authfile",
            why: "there is no place for credentials: HOME is not set to an absolute path".to_owned(),
            hint: "name a file".to_owned(),
        })?;
        let (text, file) = self.read(path, false)?.unwrap_or_default();
        // Programs know hosts only.
        let program = file.own_helper(&name.host).or(file.helper_of_all()).filter(|_| name.path.is_empty());
        if let Some(program) = program {
            let helper = helper(path, program)?;
            helper.store(&name.host, user, password)?;
            return Ok(Saved::Program(helper.to_string()));
        }
        let text = with_entry(&text, &name.to_string(), user, password).map_err(|error| invalid(path, &error))?;
        files::write_secret(path, text.as_bytes())?;
        Ok(Saved::File(path.clone()))
    }

    /// Forgets the credentials for a registry, or all, in every file; says where there were some.
    pub(in crate::cli) fn forget(&self, name: Option<&RegistryName>) -> Result<Vec<String>, CliError> {
        let mut places = Vec::new();
        for path in &self.paths {
            let Some((text, file)) = self.read(path, self.named)? else { continue };
            let text_of = name.map(ToString::to_string);
            let gone = without_entry(&text, text_of.as_deref()).map_err(|error| invalid(path, &error))?;
            let mut hosts: Vec<String> = file.helped().map(|(host, _)| host.to_owned()).collect();
            match name {
                Some(name) if name.path.is_empty() => hosts = vec![name.host.clone()],
                Some(_) => hosts.clear(),
                None => hosts.extend(gone.iter().flat_map(|(_, gone)| gone.clone())),
            }
            for host in hosts {
                let host = if stands_for(&host, "docker.io") { "docker.io" } else { &host };
                if let Some(program) = file.own_helper(host).or(file.helper_of_all()) {
                    let helper = helper(path, program)?;
                    if helper.get(host)?.is_some() {
                        helper.erase(host)?;
                        places.push(helper.to_string());
                    }
                }
            }
            if let Some((text, _)) = gone {
                files::write_secret(path, text.as_bytes())?;
                places.push(path.display().to_string());
            }
        }
        Ok(places)
    }

    /// The text of a file and what it says; none where there is none and need be none.
    fn read(&self, path: &Path, must_be: bool) -> Result<Option<(String, AuthFile)>, CliError> {
        let text = match fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if !must_be && matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
                return Ok(None);
            }
            // Another user's, below a folder of the machine.
            Err(error) if !self.named && error.kind() == ErrorKind::PermissionDenied && path.starts_with("/run") => {
                return Ok(None);
            }
            Err(source) => return Err(CliError::Read { path: path.to_owned(), source }),
        };
        let file = AuthFile::parse(&text).map_err(|error| invalid(path, &error))?;
        Ok(Some((text, file)))
    }
}

fn helper(path: &Path, name: &str) -> Result<Helper, CliError> {
    Helper::new(name).map_err(|why| CliError::Credentials { path: path.to_owned(), why })
}

fn invalid(path: &Path, error: &InvalidAuthFile) -> CliError {
    CliError::Credentials { path: path.to_owned(), why: error.to_string() }
}
