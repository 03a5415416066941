//! What all pages are made with: templates and files, read once, or in a debug build whenever they change.

use std::{
    path::Path,
    sync::{Arc, PoisonError, RwLock},
    time::SystemTime,
};

use rust_embed::RustEmbed;
use serde::Serialize;
use tera::{Context, Tera};

use super::{assets::Assets, functions, page::Frame};
use crate::error::Error;

/// `web/templates`.
#[derive(RustEmbed)]
#[folder = "../../web/templates/"]
struct Templates;

/// What all pages are made with. Clones are the same one.
#[derive(Clone)]
pub(crate) struct Web(Arc<Inner>);

struct Inner {
    built: RwLock<Arc<Built>>,
    /// Whether the cluster is a simulation, which every page says.
    simulation: bool,
}

/// Templates and files as they were at one moment.
pub(crate) struct Built {
    tera: Tera,
    /// The files under `/static`.
    pub(crate) assets: Arc<Assets>,
    /// When the newest of them was written; only looked at in a debug build.
    newest: Option<SystemTime>,
}

impl Web {
    /// Reads everything. Templates are part of the program: a broken one is a fault that a test finds.
    pub(crate) fn new(simulation: bool) -> Self {
        let built = Built::new().expect("the templates are part of the program: a test reads them");
        Self(Arc::new(Inner {
            built: RwLock::new(Arc::new(built)),
            simulation,
        }))
    }

    /// Whether the cluster is a simulation.
    pub(crate) fn is_simulation(&self) -> bool {
        self.0.simulation
    }

    /// Templates and files; in a debug build as they are on disk now.
    pub(crate) fn built(&self) -> Arc<Built> {
        let built = self
            .0
            .built
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        if !cfg!(debug_assertions) || newest() <= built.newest {
            return built;
        }
        match Built::new() {
            Ok(fresh) => {
                let fresh = Arc::new(fresh);
                *self.0.built.write().unwrap_or_else(PoisonError::into_inner) = fresh.clone();
                fresh
            }
            Err(error) => {
                tracing::error!("the templates cannot be read: {error}");
                built
            }
        }
    }

    /// A whole page.
    pub(crate) fn page(
        &self,
        template: &str,
        frame: &Frame<'_>,
        view: &impl Serialize,
    ) -> Result<String, Error> {
        let context = context(frame, view);
        self.built().tera.render(template, &context).map_err(broken)
    }

    /// One component with its arguments, for a part of a page that changes.
    pub(crate) fn component(
        &self,
        component: &str,
        frame: &Frame<'_>,
        arguments: &impl Serialize,
    ) -> Result<String, Error> {
        let arguments = Context::from_serialize(arguments).map_err(broken)?;
        let mut around = Context::new();
        around.insert("page", frame);
        self.built()
            .tera
            .render_component_with_implicits(component, &arguments, &around, None, true)
            .map_err(broken)
    }
}

impl Built {
    fn new() -> tera::TeraResult<Self> {
        let newest = cfg!(debug_assertions).then(newest).flatten();
        let assets = Arc::new(Assets::load());
        let mut tera = Tera::new();
        functions::register(&mut tera, &assets);
        let texts: Vec<(String, String)> = Templates::iter()
            .filter(|name| name.ends_with(".html") && name != "docs.html")
            .filter_map(|name| {
                let file = Templates::get(&name)?;
                let text = String::from_utf8(file.data.into_owned()).ok()?;
                Some((name.into_owned(), text))
            })
            .collect();
        tera.add_raw_templates(
            texts
                .iter()
                .map(|(name, text)| (name.as_str(), text.as_str())),
        )?;
        Ok(Self {
            tera,
            assets,
            newest,
        })
    }
}

fn context(frame: &Frame<'_>, view: &impl Serialize) -> Context {
    let mut context = Context::new();
    context.insert("page", frame);
    context.insert("view", view);
    context
}

fn broken(error: tera::Error) -> Error {
    Error::Control(control::Error::Internal(Box::new(error)))
}

/// When the newest file of `web/` was written.
fn newest() -> Option<SystemTime> {
    fn of(path: &Path) -> Option<SystemTime> {
        let metadata = path.metadata().ok()?;
        let own = metadata.modified().ok();
        if !metadata.is_dir() {
            return own;
        }
        let within = path.read_dir().ok()?.flatten();
        within.filter_map(|entry| of(&entry.path())).max().max(own)
    }
    of(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../web")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_template_is_sound() {
        let built = Built::new().unwrap_or_else(|error| panic!("{error}"));
        assert!(built.tera.contains_template("layout.html"));
    }

    #[test]
    fn no_template_has_an_inline_script_or_style() {
        for name in Templates::iter().filter(|name| name != "docs.html") {
            let file = Templates::get(&name).unwrap();
            let text = String::from_utf8(file.data.into_owned()).unwrap();
            for wrong in [
                "<style",
                " style=",
                " onclick",
                " onload",
                " onsubmit",
                "javascript:",
            ] {
                assert!(!text.contains(wrong), "{name} has {wrong}");
            }
            for script in text.split("<script").skip(1) {
                assert!(script.contains("src="), "{name} has a script of its own");
            }
        }
    }
}
