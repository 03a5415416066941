//! Files under `/static`: named by their content, so that a browser keeps them for ever; compressed once.

use std::{collections::BTreeMap, io::Write as _};

use axum::{
    extract::{Path, State},
    http::{HeaderMap, HeaderName, HeaderValue, header},
    response::{IntoResponse as _, Response},
};
use bytes::Bytes;
use flate2::{Compression, write::GzEncoder};
use rust_embed::RustEmbed;
use sha2::{Digest as _, Sha256};

use super::Web;
use crate::error::Error;

/// `web/static`.
#[derive(RustEmbed)]
#[folder = "../../web/static/"]
struct Files;

/// The one style sheet, made of all files in `css/` in the order of their names.
const STYLE: &str = "app.css";

/// All files.
pub(crate) struct Assets {
    /// By plain name, e.g. `js/main.js`.
    files: BTreeMap<String, Asset>,
}

/// A file.
pub(crate) struct Asset {
    /// Its address, e.g. `/static/js/main.0f3a….js`.
    pub(crate) url: String,
    bytes: Bytes,
    compressed: Option<Bytes>,
    kind: &'static str,
    /// Modules that it imports, by plain name.
    imports: Vec<String>,
}

impl Assets {
    /// Reads, joins, names and compresses all files.
    pub(crate) fn load() -> Self {
        let mut texts: BTreeMap<String, Vec<u8>> = Files::iter()
            .filter_map(|name| Some((name.to_string(), Files::get(&name)?.data.into_owned())))
            .collect();
        let styles: Vec<String> = texts
            .keys()
            .filter(|name| is_kind(name, "css"))
            .cloned()
            .collect();
        let style = styles.iter().filter_map(|name| texts.remove(name));
        let style = style.collect::<Vec<_>>().join(&b'\n');
        texts.insert(STYLE.to_owned(), style);
        let mut files = BTreeMap::new();
        for name in texts.keys() {
            add(name, &texts, &mut files);
        }
        Self { files }
    }

    /// The file with this plain name.
    pub(crate) fn get(&self, name: &str) -> Option<&Asset> {
        self.files.get(name)
    }

    /// Addresses of every module that this one needs, itself last.
    pub(crate) fn modules(&self, name: &str) -> Vec<&str> {
        fn visit<'a>(assets: &'a Assets, name: &str, urls: &mut Vec<&'a str>) {
            let Some(asset) = assets.get(name) else {
                return;
            };
            for import in &asset.imports {
                visit(assets, import, urls);
            }
            if !urls.contains(&asset.url.as_str()) {
                urls.push(&asset.url);
            }
        }
        let mut urls = Vec::new();
        visit(self, name, &mut urls);
        urls
    }
}

/// Adds a file after those that it imports: its content, and so its name, has their addresses in it.
fn add(name: &str, texts: &BTreeMap<String, Vec<u8>>, files: &mut BTreeMap<String, Asset>) {
    if files.contains_key(name) {
        return;
    }
    let Some(bytes) = texts.get(name) else {
        return;
    };
    let (folder, _) = name.rsplit_once('/').unwrap_or_default();
    let mut bytes = bytes.clone();
    let mut imports = Vec::new();
    if is_kind(name, "js") {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let mut written = text.clone();
        for import in text.split("from \"./").skip(1) {
            let import = import.split('"').next().unwrap_or_default();
            let plain = format!("{folder}/{import}");
            add(&plain, texts, files);
            if let Some(asset) = files.get(&plain) {
                written =
                    written.replace(&format!("\"./{import}\""), &format!("\"{}\"", asset.url));
                imports.push(plain);
            }
        }
        bytes = written.into_bytes();
    }
    let hash = hex::encode(&Sha256::digest(&bytes)[..6]);
    let (stem, ending) = name.rsplit_once('.').unwrap_or((name, "bin"));
    let asset = Asset {
        url: format!("/static/{stem}.{hash}.{ending}"),
        compressed: compress(&bytes),
        bytes: bytes.into(),
        kind: kind(ending),
        imports,
    };
    files.insert(name.to_owned(), asset);
}

fn kind(ending: &str) -> &'static str {
    match ending {
        "css" => "text/css; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "woff2" => "font/woff2",
        _ => "application/octet-stream",
    }
}

/// The bytes compressed, where that makes them smaller.
fn compress(bytes: &[u8]) -> Option<Bytes> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).ok()?;
    let compressed = encoder.finish().ok()?;
    (compressed.len() < bytes.len()).then(|| compressed.into())
}

/// A file. One of another version gets the version there is, and the browser keeps it for no longer: in a rolling
/// restart a page of the old program may ask the new one.
pub(crate) async fn serve(
    State(web): State<Web>,
    Path(path): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Error> {
    let built = web.built();
    let plain = plain(&path).ok_or(Error::NoSuchPath)?;
    let asset = built.assets.get(&plain).ok_or(Error::NoSuchPath)?;
    let kept = if asset.url.strip_prefix("/static/") == Some(path.as_str()) {
        "public, max-age=31536000, immutable"
    } else {
        "no-cache"
    };
    let accepts = headers
        .get(header::ACCEPT_ENCODING)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| value.contains("gzip"));
    let always: [(HeaderName, &str); 3] = [
        (header::CONTENT_TYPE, asset.kind),
        (header::CACHE_CONTROL, kept),
        (header::VARY, "accept-encoding"),
    ];
    Ok(match &asset.compressed {
        Some(compressed) if accepts => (
            always,
            [(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"))],
            compressed.clone(),
        )
            .into_response(),
        _ => (always, asset.bytes.clone()).into_response(),
    })
}

/// `js/main.js` for `js/main.0f3a….js`.
fn plain(path: &str) -> Option<String> {
    let (rest, ending) = path.rsplit_once('.')?;
    let (stem, _hash) = rest.rsplit_once('.')?;
    Some(format!("{stem}.{ending}"))
}

/// Whether a file's name ends with this.
fn is_kind(name: &str, kind: &str) -> bool {
    name.rsplit_once('.').is_some_and(|(_, end)| end == kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_module_names_those_it_imports_by_their_content() {
        let assets = Assets::load();
        let main = assets.get("js/main.js").unwrap();
        let text = String::from_utf8(main.bytes.to_vec()).unwrap();
        assert!(!main.imports.is_empty());
        for import in &main.imports {
            assert!(text.contains(&assets.get(import).unwrap().url), "{import}");
        }
        assert!(!text.contains("\"./"), "an import is left as it was");
        assert_eq!(
            assets.modules("js/main.js").last(),
            Some(&main.url.as_str())
        );
    }

    #[test]
    fn the_style_asks_for_nothing_from_elsewhere() {
        let assets = Assets::load();
        let style = String::from_utf8(assets.get(STYLE).unwrap().bytes.to_vec()).unwrap();
        assert!(style.len() > 1000);
        for wrong in ["http:", "https:", "@import", "url(//"] {
            assert!(!style.contains(wrong), "{wrong}");
        }
    }

    #[test]
    fn an_address_names_its_file() {
        assert_eq!(plain("js/main.0f3a.js").as_deref(), Some("js/main.js"));
        assert_eq!(plain("main.js"), None);
    }
}
