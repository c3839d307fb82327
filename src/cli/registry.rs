//! Who to be at a registry: files of credentials, and the programs that know them.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::{CliError, Environment};
use crate::oci::Reference;
use crate::transport::registry::{AuthFile, Credentials, Repository, Transport, Trust};

/// Flags of commands that speak to registries.
#[derive(Debug, Clone, Default, clap::Args)]
pub(super) struct RegistryFlags {
    /// Credentials of registries [default: those of podman, else of Docker]
    #[arg(long, value_name = "FILE")]
    authfile: Option<PathBuf>,
    /// Speak to registries without TLS
    #[arg(long)]
    plain_http: bool,
}

impl RegistryFlags {
    /// Whom to trust and who to be, for a repository.
    pub(super) fn trust(&self, reference: &Reference, environment: &Environment) -> Result<Trust, CliError> {
        let transport = if self.plain_http { Transport::Plain } else { Transport::Tls };
        let credentials = self.credentials(&Repository::of(reference), environment)?;
        Ok(Trust { transport, credentials })
    }

    fn credentials(&self, repository: &Repository, environment: &Environment) -> Result<Option<Credentials>, CliError> {
        for path in auth_files(self.authfile.as_deref(), environment) {
            let text = match fs::read_to_string(&path) {
                Ok(text) => text,
                Err(error) if error.kind() == std::io::ErrorKind::NotFound && self.authfile.is_none() => continue,
                Err(source) => return Err(CliError::Read { path, source }),
            };
            let wrong = |why: String| CliError::Variable {
                name: path.display().to_string(),
                why,
                hint: Some(
                    "log in anew (`podman login`, `docker login`), or name another file by --authfile".to_owned(),
                ),
            };
            let file = AuthFile::parse(&text).map_err(|error| wrong(error.to_string()))?;
            if let Some(found) = file.find(repository).map_err(|error| wrong(error.to_string()))? {
                return Ok(Some(found));
            }
            if let Some(helper) = file.helper(&repository.registry)
                && let Some(found) = ask_helper(helper, repository).map_err(wrong)?
            {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }
}

/// The files, in the order in which containers' tools and then Docker look for them (containers-auth.json(5)).
fn auth_files(named: Option<&Path>, environment: &Environment) -> Vec<PathBuf> {
    if let Some(named) = named.map(Path::to_owned).or_else(|| environment.path("REGISTRY_AUTH_FILE")) {
        return vec![named];
    }
    let home = environment.absolute("HOME");
    let configuration =
        environment.absolute("XDG_CONFIG_HOME").or_else(|| home.as_ref().map(|home| home.join(".config")));
    let docker = environment.path("DOCKER_CONFIG").or_else(|| home.map(|home| home.join(".docker")));
    let all = [
        environment.absolute("XDG_RUNTIME_DIR").map(|folder| folder.join("containers/auth.json")),
        configuration.map(|folder| folder.join("containers/auth.json")),
        docker.map(|folder| folder.join("config.json")),
    ];
    all.into_iter().flatten().collect()
}

/// What a program of credentials answers (docker-credential-helpers, "get").
#[derive(serde::Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Helped {
    username: String,
    secret: String,
}

/// Asks `docker-credential-NAME`. A name that is more than a word would start something else.
fn ask_helper(name: &str, repository: &Repository) -> Result<Option<Credentials>, String> {
    if !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)) {
        return Err(format!("`{}` is no name of a credential helper", name.escape_debug()));
    }
    let program = format!("docker-credential-{name}");
    let server = match repository.registry.as_str() {
        "docker.io" => "https://index.docker.io/v1/",
        registry => registry,
    };
    let failed = |error: std::io::Error| format!("{program}: {error}");
    let mut child = Command::new(&program)
        .arg("get")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(failed)?;
    if let Some(mut stdin) = child.stdin.take() {
        stdin.write_all(server.as_bytes()).map_err(failed)?;
    }
    let output = child.wait_with_output().map_err(failed)?;
    if !output.status.success() {
        // It says on standard output that it has none, each in words of its own.
        return Ok(None);
    }
    let helped: Helped =
        serde_json::from_slice(&output.stdout).map_err(|_| format!("{program}: it does not answer as one"))?;
    Ok(Some(match helped.username.as_str() {
        "<token>" => Credentials::IdentityToken(helped.secret),
        _ => Credentials::Password { user: helped.username, password: helped.secret },
    }))
}
