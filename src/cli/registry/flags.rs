use std::fmt;
use std::path::PathBuf;

use crate::cli::{CliError, Environment};
use crate::transport::registry::Credentials;

/// One of the two registries of a copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::cli) enum Side {
    /// Where images come from.
    Source,
    /// Where they go to.
    Destination,
}

/// Flags of commands that speak to a registry.
#[derive(Debug, Clone, Default, clap::Args)]
#[command(next_help_heading = "Registries")]
pub(in crate::cli) struct AccessFlags {
    /// Credentials of registries [default: those of podman, then of Docker]
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) authfile: Option<PathBuf>,
    /// With `=false`, take any certificate, and speak without TLS where there is none
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub(in crate::cli) tls_verify: Option<bool>,
    /// Authorities (*.crt) and certificates of yours (*.cert, *.key) for registries [default: certs.d]
    #[arg(long, value_name = "DIR")]
    pub(in crate::cli) cert_dir: Option<PathBuf>,
    /// Speak to registries without TLS
    #[arg(long)]
    pub(in crate::cli) plain_http: bool,
}

/// Flags of commands that copy: for both sides, and for one of them.
#[derive(Debug, Clone, Default, clap::Args)]
#[command(next_help_heading = "Registries")]
pub(in crate::cli) struct RegistryFlags {
    #[command(flatten)]
    both: AccessFlags,
    /// Who to be; without :PASSWORD it is taken from KIMG_PASSWORD, which other users of the machine do not see
    #[arg(long, value_name = "USER[:PASSWORD]")]
    creds: Option<Creds>,
    #[command(flatten)]
    source: SourceFlags,
    #[command(flatten)]
    destination: DestinationFlags,
}

/// As skopeo has them, before those for both sides.
#[derive(Debug, Clone, Default, clap::Args)]
struct SourceFlags {
    /// As --authfile, for SRC only
    #[arg(long, value_name = "FILE", hide_short_help = true)]
    src_authfile: Option<PathBuf>,
    /// As --creds, for SRC only; the variable is KIMG_SRC_PASSWORD
    #[arg(long, value_name = "USER[:PASSWORD]", hide_short_help = true)]
    src_creds: Option<Creds>,
    /// As --tls-verify, for SRC only
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    #[arg(hide_short_help = true)]
    src_tls_verify: Option<bool>,
    /// As --cert-dir, for SRC only
    #[arg(long, value_name = "DIR", hide_short_help = true)]
    src_cert_dir: Option<PathBuf>,
}

#[derive(Debug, Clone, Default, clap::Args)]
struct DestinationFlags {
    /// As --authfile, for DST only
    #[arg(long, value_name = "FILE", hide_short_help = true)]
    dest_authfile: Option<PathBuf>,
    /// As --creds, for DST only; the variable is KIMG_DEST_PASSWORD
    #[arg(long, value_name = "USER[:PASSWORD]", hide_short_help = true)]
    dest_creds: Option<Creds>,
    /// As --tls-verify, for DST only
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    #[arg(hide_short_help = true)]
    dest_tls_verify: Option<bool>,
    /// As --cert-dir, for DST only
    #[arg(long, value_name = "DIR", hide_short_help = true)]
    dest_cert_dir: Option<PathBuf>,
}

/// `USER[:PASSWORD]`. Any text is one for clap, whose messages would repeat what is wrong with it.
#[derive(Clone)]
struct Creds(String);

impl From<&str> for Creds {
    fn from(text: &str) -> Creds {
        Creds(text.to_owned())
    }
}

impl fmt::Debug for Creds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(secret)")
    }
}

impl RegistryFlags {
    /// The flags for one side.
    pub(super) fn access(&self, side: Side) -> AccessFlags {
        let (source, destination) = (&self.source, &self.destination);
        let (authfile, tls_verify, cert_dir) = match side {
            Side::Source => (&source.src_authfile, source.src_tls_verify, &source.src_cert_dir),
            Side::Destination => (&destination.dest_authfile, destination.dest_tls_verify, &destination.dest_cert_dir),
        };
        AccessFlags {
            authfile: authfile.clone().or_else(|| self.both.authfile.clone()),
            tls_verify: tls_verify.or(self.both.tls_verify),
            cert_dir: cert_dir.clone().or_else(|| self.both.cert_dir.clone()),
            plain_http: self.both.plain_http && tls_verify.is_none(),
        }
    }

    /// Whether the flags make sense for the registries of a copy: what one of them may know is not shown to the other.
    pub(in crate::cli) fn check(&self, source: Option<&str>, destination: Option<&str>) -> Result<(), CliError> {
        let is_for_both = self.creds.is_some() && source.is_some() && destination.is_some() && source != destination;
        match is_for_both && (self.source.src_creds.is_none() || self.destination.dest_creds.is_none()) {
            true => Err(CliError::Flags {
                flag: "--creds",
                why: "two registries would be shown the same password".to_owned(),
                hint: "say --src-creds or --dest-creds".to_owned(),
            }),
            false => Ok(()),
        }
    }

    /// Who to be by the flags.
    pub(super) fn credentials(&self, side: Side, environment: &Environment) -> Result<Option<Credentials>, CliError> {
        let (own, flag, variable) = match side {
            Side::Source => (&self.source.src_creds, "--src-creds", "KIMG_SRC_PASSWORD"),
            Side::Destination => (&self.destination.dest_creds, "--dest-creds", "KIMG_DEST_PASSWORD"),
        };
        let (creds, flag, variable) = match (own, &self.creds) {
            (Some(creds), _) => (creds, flag, variable),
            (None, Some(creds)) => (creds, "--creds", "KIMG_PASSWORD"),
            (None, None) => return Ok(None),
        };
        let wrong = |why: &str, hint: String| CliError::Flags { flag, why: why.to_owned(), hint };
        let (user, password) = match creds.0.split_once(':') {
            Some((user, password)) => (user, Some(password.to_owned())),
            None => (creds.0.as_str(), environment.text(variable)?.map(str::to_owned)),
        };
        if user.is_empty() {
            return Err(wrong("the user is missing", "write USER, and the password into a variable".to_owned()));
        }
        let password = password
            .ok_or_else(|| wrong("there is no password", format!("set {variable} to it, or log in by `kimg login`")))?;
        Ok(Some(Credentials::Password { user: user.to_owned(), password }))
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Line {
        #[command(flatten)]
        flags: RegistryFlags,
    }

    fn flags(words: &[&str]) -> RegistryFlags {
        Line::try_parse_from(std::iter::once(&"x").chain(words)).unwrap().flags
    }

    #[test]
    fn one_side_before_both() {
        let own = flags(&["--authfile", "a", "--dest-authfile", "b", "--tls-verify=false", "--src-tls-verify"]);
        let (source, destination) = (own.access(Side::Source), own.access(Side::Destination));
        assert_eq!((source.authfile, source.tls_verify), (Some("a".into()), Some(true)));
        assert_eq!((destination.authfile, destination.tls_verify), (Some("b".into()), Some(false)));
        let plain = flags(&["--plain-http", "--src-tls-verify"]);
        assert!(!plain.access(Side::Source).plain_http && plain.access(Side::Destination).plain_http);
    }

    #[test]
    fn passwords_of_flags_and_variables() {
        let variables = [("KIMG_PASSWORD", "all"), ("KIMG_SRC_PASSWORD", "src")];
        let environment = Environment::of(variables.map(|(name, value)| (name.to_owned(), value.into())));
        let found = |words: &[&str], side| match flags(words).credentials(side, &environment) {
            Ok(Some(Credentials::Password { user, password })) => format!("{user} {password}"),
            Ok(_) => "none".to_owned(),
            Err(error) => error.to_string(),
        };
        assert_eq!(found(&["--src-creds", "u:p:q"], Side::Source), "u p:q");
        assert_eq!(found(&["--src-creds", "u"], Side::Source), "u src");
        assert_eq!(found(&["--src-creds", "u"], Side::Destination), "none");
        assert_eq!(found(&["--creds", "u", "--src-creds", "v"], Side::Destination), "u all");
        assert_eq!(found(&["--dest-creds", "u"], Side::Destination), "--dest-creds: there is no password");
        assert_eq!(found(&["--dest-creds", ":secret"], Side::Destination), "--dest-creds: the user is missing");
        assert!(!format!("{:?}", flags(&["--creds", "u:hidden"])).contains("hidden"));
    }
}
