//! `certs.d`: authorities and certificates by registry (containers-certs.d(5), and Docker's "Verify repository client
//! with certificates").

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::cli::{CliError, Environment};
use crate::net::{Identity, Tls};

/// What the first folder that there is for a registry says.
pub(super) fn find(registry: &str, environment: &Environment) -> Result<Tls, CliError> {
    for folder in folders(environment) {
        let folder = folder.join(registry);
        if folder.is_dir() {
            return of_folder(&folder);
        }
    }
    Ok(Tls::default())
}

fn folders(environment: &Environment) -> Vec<PathBuf> {
    let home = || environment.absolute("HOME").map(|home| home.join(".config"));
    let own = environment.absolute("XDG_CONFIG_HOME").or_else(home);
    let own = |folder: &str| own.as_ref().map(|own| own.join(folder));
    let all = [
        own("containers/certs.d"),
        Some(PathBuf::from("/etc/containers/certs.d")),
        Some(PathBuf::from("/etc/docker/certs.d")),
        own("docker/certs.d"),
    ];
    all.into_iter().flatten().collect()
}

/// The files of a folder, by name: `*.crt` are authorities; of `*.cert` with `*.key` the first pair is what the registry
/// is shown.
pub(super) fn of_folder(folder: &Path) -> Result<Tls, CliError> {
    let mut tls = Tls::default();
    let files = sorted(folder).map_err(|source| CliError::Read { path: folder.to_owned(), source })?;
    let missing = |path: &Path, which: &str| CliError::Certificate {
        path: path.to_owned(),
        why: format!("there is no {which} of the same name beside it"),
    };
    for path in &files {
        match path.extension().and_then(|ending| ending.to_str()) {
            Some("crt") => tls.authorities.push(path.clone()),
            Some("cert") => {
                let key = path.with_extension("key");
                if !files.contains(&key) {
                    return Err(missing(path, "*.key"));
                }
                tls.identity.get_or_insert(Identity { certificate: path.clone(), key });
            }
            Some("key") if !files.contains(&path.with_extension("cert")) => return Err(missing(path, "*.cert")),
            _ => {}
        }
    }
    Ok(tls)
}

fn sorted(folder: &Path) -> io::Result<Vec<PathBuf>> {
    #[allow(clippy::disallowed_methods, reason = "they are sorted")]
    let entries = fs::read_dir(folder)?;
    let mut files = entries.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<PathBuf>>>()?;
    files.sort();
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_folder_counts() {
        let home = tempfile::tempdir().unwrap();
        let environment = Environment::of([("HOME".to_owned(), home.path().into())]);
        let put = |path: &str| {
            let path = home.path().join(".config").join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, "").unwrap();
            path
        };
        let tls = || find("kimg-test.example:5000", &environment);
        assert!(tls().unwrap().is_usual());
        let docker = put("docker/certs.d/kimg-test.example:5000/own.crt");
        assert_eq!(tls().unwrap().authorities, [docker]);
        let second = put("containers/certs.d/kimg-test.example:5000/b.crt");
        let first = put("containers/certs.d/kimg-test.example:5000/a.crt");
        put("containers/certs.d/kimg-test.example:5000/readme.txt");
        assert_eq!(tls().unwrap(), Tls { authorities: vec![first, second], ..Tls::default() });
        let certificate = put("containers/certs.d/kimg-test.example:5000/client.cert");
        assert!(tls().unwrap_err().to_string().contains("no *.key"));
        let key = put("containers/certs.d/kimg-test.example:5000/client.key");
        assert_eq!(tls().unwrap().identity, Some(Identity { certificate, key }));
        put("containers/certs.d/kimg-test.example:5000/other.key");
        assert!(tls().unwrap_err().to_string().contains("no *.cert"));
    }
}
