//! What Kubernetes calls this container: its pod, Service and namespace.

use crate::container::Container;
use crate::ordinal;

/// The file in which Kubernetes tells a pod its namespace.
const NAMESPACE: &str = "/var/run/secrets/kubernetes.io/serviceaccount/namespace";

/// A pod, as far as it is known from the downward API and from `/etc/hosts`; elsewhere the host's name stands for it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pod {
    /// `kafka-2`: the pod's name, else the first part of the host's.
    pub name: String,
    /// Where the name came from: a variable, or `host name`.
    pub origin: String,
    /// The number at the end of the name of a StatefulSet's pod.
    pub ordinal: Option<u32>,
    /// The headless Service.
    pub service: Option<String>,
    /// The namespace.
    pub namespace: Option<String>,
    /// What names of Services end with after `svc.`.
    pub domain: String,
    /// The full name of the host, where it has one that is not of Kubernetes' shape.
    full_name: Option<String>,
}

impl Pod {
    /// The pod of a container. With `hostNetwork` the host name is that of the node, so a variable with the pod's name
    /// goes before it.
    pub fn of(container: &Container) -> Pod {
        let environment = &container.environment;
        let named = environment.first(&["KIMG_POD_NAME", "POD_NAME", "MY_POD_NAME"]);
        let host = container.host.split('.').next().unwrap_or_default();
        let (origin, name) = named.unwrap_or(("host name", host));
        // Of another name than the host's, the host's full name says nothing.
        let full = full_name(container).filter(|_| name == host);
        let labels: Vec<&str> = full.as_deref().unwrap_or_default().split('.').collect();
        let (service, namespace, domain) = match labels.as_slice() {
            [_, service, namespace, "svc", domain @ ..] => (Some(*service), Some(*namespace), domain.join(".")),
            _ => (None, None, String::new()),
        };
        let text = |names: &[&str], otherwise: Option<&str>| {
            environment.first(names).map(|(_, value)| value).or(otherwise).map(str::to_owned)
        };
        let of_account = || container.read(NAMESPACE).map(|text| text.trim().to_owned());
        Pod {
            name: name.to_owned(),
            origin: origin.to_owned(),
            ordinal: ordinal::of_host(name),
            service: text(&["KIMG_SERVICE", "KIMG_HEADLESS_SERVICE"], service),
            namespace: text(&["KIMG_NAMESPACE", "POD_NAMESPACE", "MY_POD_NAMESPACE"], namespace)
                .or_else(of_account)
                .filter(|name| !name.is_empty()),
            domain: text(&["KIMG_CLUSTER_DOMAIN"], Some(domain.as_str()).filter(|domain| !domain.is_empty()))
                .unwrap_or_else(|| "cluster.local".to_owned()),
            full_name: full.clone().filter(|_| service.is_none()),
        }
    }

    /// The name under which other pods reach this one.
    pub fn headless_name(&self) -> Option<String> {
        match (&self.service, &self.namespace) {
            (Some(service), Some(namespace)) => {
                Some(format!("{}.{service}.{namespace}.svc.{}", self.name, self.domain))
            }
            _ => self.full_name.clone(),
        }
    }
}

/// That of `/etc/hosts`, or the host name itself where it has more than one part.
fn full_name(container: &Container) -> Option<String> {
    container.full_name.clone().or_else(|| Some(container.host.clone()).filter(|host| host.contains('.')))
}
