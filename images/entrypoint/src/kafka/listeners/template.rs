//! The placeholders of `KIMG_ADVERTISE_TEMPLATE`: `{pod}`, `{ordinal}`, and sums such as `{31090+ordinal}`.

use super::Node;
use crate::properties::Properties;

/// What a placeholder may be, and what to set where its value is not known.
const PLACEHOLDERS: [(&str, &str); 8] = [
    ("ordinal", "run it in a StatefulSet, or set POD_NAME by the downward API"),
    ("id", "set the broker's id"),
    ("pod", "set POD_NAME by the downward API"),
    ("namespace", "set POD_NAMESPACE by the downward API"),
    ("service", "set KIMG_SERVICE to the headless Service"),
    ("domain", "set KIMG_CLUSTER_DOMAIN"),
    ("host", "give the container a host name"),
    ("node", "set NODE_IP to `status.hostIP`, or NODE_NAME to `spec.nodeName`, by the downward API"),
];

/// The text with its placeholders replaced; else why that cannot be, and what to do.
pub(super) fn expand(text: &str, node: &Node<'_>, properties: &Properties) -> Result<String, (String, String)> {
    let (mut whole, mut rest) = (String::new(), text);
    while let Some((before, after)) = rest.split_once('{') {
        let (inside, after) = after.split_once('}').ok_or_else(|| unclosed(text))?;
        whole += before;
        whole += &sum(inside, node, properties)?;
        rest = after;
    }
    match rest.contains('}') {
        true => Err(unclosed(text)),
        false => Ok(whole + rest),
    }
}

fn unclosed(text: &str) -> (String, String) {
    (format!("`{}` has a brace without its other", text.escape_debug()), "write {ordinal} for the ordinal".to_owned())
}

/// One placeholder, or several numbers with `+` between them.
fn sum(text: &str, node: &Node<'_>, properties: &Properties) -> Result<String, (String, String)> {
    let terms: Vec<&str> = text.split('+').map(str::trim).collect();
    let values: Vec<String> = terms.iter().map(|term| value(term, node, properties)).collect::<Result<_, _>>()?;
    if let [one] = values.as_slice() {
        return Ok(one.clone());
    }
    let numbers: Option<Vec<u64>> = values.iter().map(|value| value.parse::<u32>().ok().map(u64::from)).collect();
    match numbers {
        Some(numbers) => Ok(numbers.iter().sum::<u64>().to_string()),
        None => {
            Err((format!("`{{{text}}}` adds what is no number"), "add numbers, {ordinal} and {id} only".to_owned()))
        }
    }
}

fn value(name: &str, node: &Node<'_>, properties: &Properties) -> Result<String, (String, String)> {
    if !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_digit()) {
        return Ok(name.to_owned());
    }
    let Some((_, hint)) = PLACEHOLDERS.iter().find(|(known, _)| *known == name) else {
        let known = PLACEHOLDERS.map(|(name, _)| format!("{{{name}}}")).join(" ");
        return Err((format!("`{{{}}}` is no placeholder", name.escape_debug()), format!("there are {known}")));
    };
    let pod = &node.pod;
    let nodes = ["KIMG_NODE", "NODE_IP", "HOST_IP", "NODE_NAME"];
    let value = match name {
        "ordinal" => pod.ordinal.map(|ordinal| ordinal.to_string()),
        "id" => properties.get(node.mode.id_property()).filter(|id| *id != "-1").map(str::to_owned),
        "pod" => Some(pod.name.clone()),
        "namespace" => pod.namespace.clone(),
        "service" => pod.service.clone(),
        "domain" => Some(pod.domain.clone()),
        "host" => node.host().map(str::to_owned),
        _ => node.container.environment.first(&nodes).map(|(_, node)| super::syntax::in_brackets(node)),
    };
    value.filter(|value| !value.is_empty()).ok_or_else(|| (format!("`{{{name}}}` is not known"), (*hint).to_owned()))
}
