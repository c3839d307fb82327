//! Lists that come in pages (RFC 8288, which distribution-spec 1.1 pages by).

use std::collections::BTreeSet;

use url::Url;

use super::Session;
use super::document::document;
use super::redirect::refused;
use crate::copy::CopyError;
use crate::net::Answer;

/// The most bytes of one page.
const PAGE: u64 = 8 << 20;

/// The most pages of one list.
const PAGES: usize = 10_000;

/// Reads a list page by page, and gives each to `take`. The answer for the first page is given back where it is no
/// success: what that means is the caller's business.
pub(super) async fn pages(
    session: &Session,
    what: &str,
    first: String,
    accept: &str,
    mut take: impl FnMut(&[u8]) -> Result<(), CopyError>,
) -> Result<Option<Answer>, CopyError> {
    let (mut url, mut seen) = (first, BTreeSet::new());
    for page in 0..PAGES {
        let document = match document(session, what, &url, accept, PAGE).await? {
            Ok(document) => document,
            Err(answer) if page == 0 => return Ok(Some(answer)),
            Err(answer) => return Err(session.refused(what, answer).await),
        };
        take(&document.bytes)?;
        let Some(next) = document.links.iter().find_map(|link| next(link)) else { return Ok(None) };
        let next = Url::parse(&url).and_then(|url| url.join(&next)).map(|url| url.to_string());
        match next {
            Ok(next) if session.is_own(&next) => {
                if !seen.insert(std::mem::replace(&mut url, next)) || seen.contains(&url) {
                    return Err(refused(session, what, "the list goes round in a circle".to_owned()));
                }
            }
            _ => return Err(refused(session, what, "the list goes on at another host".to_owned())),
        }
    }
    Err(refused(session, what, format!("the list has more than {PAGES} pages")))
}

/// The target of a Link to what follows: `<URL>; rel="next"`.
fn next(header: &str) -> Option<String> {
    let mut rest = header;
    while let Some((target, after)) = rest.split_once('<').and_then(|(_, text)| text.split_once('>')) {
        // The parameters end where the next link begins.
        let end = after.find('<').unwrap_or(after.len());
        let is_next = after[..end].split([';', ',']).any(|parameter| {
            let (name, value) = parameter.split_once('=').unwrap_or_default();
            let value = value.trim().trim_matches('"');
            name.trim().eq_ignore_ascii_case("rel") && value.split(' ').any(|own| own.eq_ignore_ascii_case("next"))
        });
        if is_next {
            return Some(target.trim().to_owned());
        }
        rest = &after[end..];
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn links_as_registries_write_them() {
        let found = |text: &str| next(text);
        let target = Some("/v2/a/tags/list?n=2&last=b".to_owned());
        assert_eq!(found(r#"</v2/a/tags/list?n=2&last=b>; rel="next""#), target);
        assert_eq!(found("</v2/a/tags/list?n=2&last=b>;rel=next"), target);
        assert_eq!(found(r#"<x>; rel="prev", </v2/a/tags/list?n=2&last=b>; title="y"; Rel="last next""#), target);
        for none in ["", "<x>", "<x>; rel=prev", "x; rel=next", r#"<x; rel="next""#, r#"<x>; title="rel=next""#] {
            assert_eq!(found(none), None, "{none}");
        }
    }

    proptest! {
        #[test]
        fn any_text_comes_to_an_end(text in "[<>;,=\" a-z]{0,60}") {
            let _ = next(&text);
        }
    }
}
