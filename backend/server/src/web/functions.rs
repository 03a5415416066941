//! What templates can call besides what the engine brings.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use tera::{Kwargs, State, Tera, TeraResult, Value};

use super::{assets::Assets, icon, picture, words};

/// Functions `asset`, `modules`, `icon`, `picture`; filters `bytes`, `duration`, `ago`, `exact`, `clock`.
pub(super) fn register(tera: &mut Tera, assets: &Arc<Assets>) {
    let files = assets.clone();
    // The address of a file of `web/static`.
    tera.register_function(
        "asset",
        move |given: Kwargs, _: &State<'_>| -> TeraResult<Value> {
            let path = given.must_get::<&str>("path")?;
            let asset = files
                .get(path)
                .ok_or_else(|| tera::Error::message(format!("there is no file `{path}`")))?;
            Ok(Value::safe_string(&asset.url))
        },
    );
    let files = assets.clone();
    // The elements that load a module and, at the same time, all that it imports.
    tera.register_function(
        "modules",
        move |given: Kwargs, _: &State<'_>| -> TeraResult<Value> {
            let path = given.must_get::<&str>("path")?;
            let urls = files.modules(path);
            let (own, imports) = urls
                .split_last()
                .ok_or_else(|| tera::Error::message(format!("there is no module `{path}`")))?;
            let imports: String = imports
                .iter()
                .map(|url| format!("<link rel=\"modulepreload\" href=\"{url}\">"))
                .collect();
            Ok(Value::safe_string(&format!(
                "{imports}<script type=\"module\" src=\"{own}\"></script>"
            )))
        },
    );
    // A picture of the interface.
    tera.register_function(
        "icon",
        |given: Kwargs, _: &State<'_>| -> TeraResult<Value> {
            let name = given.must_get::<&str>("name")?;
            let svg = icon::svg(name)
                .ok_or_else(|| tera::Error::message(format!("there is no picture `{name}`")))?;
            Ok(Value::safe_string(&svg))
        },
    );
    // The address of an app's picture.
    tera.register_function(
        "picture",
        |given: Kwargs, _: &State<'_>| -> TeraResult<String> {
            Ok(picture::address(given.must_get::<&str>("id")?))
        },
    );
    tera.register_filter("bytes", |size: u64, _: Kwargs, _: &State<'_>| {
        words::bytes(size)
    });
    tera.register_filter("duration", |seconds: f64, _: Kwargs, _: &State<'_>| {
        words::duration(seconds)
    });
    tera.register_filter(
        "exact",
        |text: &str, _: Kwargs, _: &State<'_>| -> TeraResult<String> {
            Ok(words::exact(time(text)?))
        },
    );
    tera.register_filter(
        "ago",
        |text: &str, given: Kwargs, _: &State<'_>| -> TeraResult<String> {
            let now = time(given.must_get::<&str>("now")?)?;
            Ok(words::ago(time(text)?, now))
        },
    );
    tera.register_filter(
        "clock",
        |text: &str, _: Kwargs, _: &State<'_>| -> TeraResult<String> {
            Ok(words::clock(time(text)?))
        },
    );
}

fn time(text: &str) -> TeraResult<DateTime<Utc>> {
    text.parse()
        .map_err(|_| tera::Error::message(format!("`{text}` is no time of RFC 3339")))
}
