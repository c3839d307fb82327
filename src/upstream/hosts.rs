//! Where hosts come from. Definitions and locks hold paths only.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::lock::Upstream;
use crate::net::Base;

/// All that the choice of hosts depends on; read by `cli`, made up by tests.
#[derive(Debug, Clone, Default)]
pub struct Machine {
    /// `--mirror KIND=URL`, in order.
    pub flags: Vec<(Upstream, String)>,
    /// `KIMG_MIRROR_<KIND>`.
    pub environment: BTreeMap<Upstream, Vec<String>>,
    /// `[mirrors]` of the configuration file.
    pub config: BTreeMap<Upstream, Vec<String>>,
    /// The root below which `etc/apt`, `etc/maven`, `usr/share/maven` are looked for: `/`.
    pub root: PathBuf,
    /// The user's home folder, for `.m2/settings.xml`.
    pub home: Option<PathBuf>,
    /// `M2_HOME` or `MAVEN_HOME`.
    pub maven_home: Option<PathBuf>,
    /// Variables that a `settings.xml` may name as `${env.NAME}`.
    pub variables: BTreeMap<String, String>,
}

impl Machine {
    /// The bases of one kind of upstream in the order in which they are asked; never empty. `snapshot` is the lock's
    /// time (`20261120T123456Z`), with which Debian's snapshot service is the last.
    pub fn bases(&self, upstream: Upstream, snapshot: Option<&str>) -> Vec<Base> {
        todo!("{upstream:?} {snapshot:?}")
    }
}
