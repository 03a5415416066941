//! All entries together.

use std::{collections::BTreeMap, path::Path, sync::Arc};

use serde::Serialize;

use crate::{
    Error, Files, Finding, Manifest, Severity,
    finding::{At, Findings},
    folder, manifest, search,
    yaml::{self, Fields, Node},
};

/// A catalog: the entries that can be deployed, and what is wrong with the others. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Catalog(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    apps: BTreeMap<String, Manifest>,
    categories: Vec<Category>,
    problems: Vec<Problem>,
}

/// A category that apps are shown under.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Category {
    /// Identifier.
    pub id: String,
    /// Name for people.
    pub name: String,
    /// Name of its icon.
    pub icon: Option<String>,
}

/// An entry, or a file of the catalog itself, that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// Folder of the entry, or the file.
    pub entry: String,
    /// All that was found in it.
    pub findings: Vec<Finding>,
}

impl Catalog {
    /// Reads a folder. Broken entries become [`Catalog::problems`]; symbolic links are not followed.
    pub fn from_dir(path: &Path) -> Result<Self, Error> {
        let folder = folder::read(path)?;
        Ok(Self::new(folder.files, &folder.refused))
    }

    /// Reads files by their path in the catalog, `apps/wordpress/compose.yaml`.
    pub fn from_files(files: impl IntoIterator<Item = (String, Vec<u8>)>) -> Result<Self, Error> {
        Ok(Self::new(files, &BTreeMap::new()))
    }

    /// `refused` are files that must not or cannot be read, and why: their entries are broken.
    fn new(
        files: impl IntoIterator<Item = (String, Vec<u8>)>,
        refused: &BTreeMap<String, String>,
    ) -> Self {
        let mut entries: BTreeMap<String, Files> = BTreeMap::new();
        let mut top = Files::new();
        for (path, bytes) in files {
            match split(&path) {
                Some((entry, file)) => {
                    entries
                        .entry(entry.to_owned())
                        .or_default()
                        .insert(file.to_owned(), bytes);
                }
                None => {
                    top.insert(path, bytes);
                }
            }
        }
        let mut inner = Inner::default();
        inner.top(&top);
        let mut broken: BTreeMap<&str, Vec<Finding>> = BTreeMap::new();
        for (path, why) in refused {
            let (entry, file) = split(path).unwrap_or((path, path));
            let finding = At::file(file).finding(Severity::Error, why.clone());
            broken.entry(entry).or_default().push(finding);
        }
        for (entry, files) in entries {
            if !broken.contains_key(entry.as_str()) {
                inner.entry(&entry, files);
            }
        }
        inner
            .problems
            .extend(broken.into_iter().map(|(entry, findings)| Problem {
                entry: entry.to_owned(),
                findings,
            }));
        Self(Arc::new(inner))
    }

    /// This catalog with the last good version of every entry that is broken in it: so a slip in a file takes no app
    /// away. The problems stay.
    #[must_use]
    pub fn keeping(self, previous: &Self) -> Self {
        let mut apps = self.0.apps.clone();
        for problem in self.problems() {
            let id = problem.entry.rsplit('/').next().unwrap_or_default();
            if let Some(manifest) = previous.get(id) {
                apps.entry(id.to_owned())
                    .or_insert_with(|| manifest.clone());
            }
        }
        Self(Arc::new(Inner {
            apps,
            categories: if self.0.categories.is_empty() {
                previous.0.categories.clone()
            } else {
                self.0.categories.clone()
            },
            problems: self.0.problems.clone(),
        }))
    }

    /// The apps, sorted by identifier.
    pub fn apps(&self) -> impl Iterator<Item = &Manifest> {
        self.0.apps.values()
    }

    /// An app by identifier.
    pub fn get(&self, id: &str) -> Option<&Manifest> {
        self.0.apps.get(id)
    }

    /// Apps that hold every word of the query, the best first; all of them where the query is empty.
    pub fn search(&self, query: &str, category: Option<&str>) -> Vec<&Manifest> {
        let in_category = self
            .apps()
            .filter(|m| category.is_none_or(|c| m.category == c));
        let mut found: Vec<(u32, &Manifest)> = in_category
            .filter_map(|m| Some((search::rank(m, query)?, m)))
            .collect();
        found.sort_by_key(|(rank, m)| (*rank, m.name.to_lowercase()));
        found.into_iter().map(|(_, m)| m).collect()
    }

    /// Categories in the order of the catalog.
    pub fn categories(&self) -> &[Category] {
        &self.0.categories
    }

    /// What could not be used, and why.
    pub fn problems(&self) -> &[Problem] {
        &self.0.problems
    }
}

impl Inner {
    fn top(&mut self, files: &Files) {
        if let Some(bytes) = files.get("categories.yaml") {
            let mut findings = Findings::default();
            self.categories = categories(bytes, &mut findings);
            self.complain("categories.yaml", findings);
        }
        if let Some(bytes) = files.get("catalog.yaml") {
            let mut findings = Findings::default();
            catalog_file(bytes, &mut findings);
            self.complain("catalog.yaml", findings);
        }
    }

    fn complain(&mut self, entry: &str, findings: Findings) {
        if findings.has_errors() {
            self.problems.push(Problem {
                entry: entry.to_owned(),
                findings: findings.into_sorted(),
            });
        }
    }

    fn entry(&mut self, entry: &str, files: Files) {
        let id = entry.rsplit('/').next().unwrap_or(entry);
        let (manifest, mut findings) = manifest::load(id, files);
        match manifest {
            Some(_) if self.apps.contains_key(id) => {
                let message = format!("There is another entry `{id}`, and that one is used.");
                findings = vec![At::file("compose.yaml").finding(Severity::Error, message)];
            }
            Some(mut manifest) => {
                if !self.categories.is_empty()
                    && !self.categories.iter().any(|c| c.id == manifest.category)
                {
                    "other".clone_into(&mut manifest.category);
                }
                self.apps.insert(id.to_owned(), manifest);
                return;
            }
            None => {}
        }
        self.problems.push(Problem {
            entry: entry.to_owned(),
            findings,
        });
    }
}

/// `apps/<id>/<file>` and `imported/<store>/<id>/<file>` as entry and file.
fn split(path: &str) -> Option<(&str, &str)> {
    let depth = match path.split('/').next()? {
        "apps" => 2,
        "imported" => 3,
        _ => return None,
    };
    let (at, _) = path.match_indices('/').nth(depth - 1)?;
    Some((&path[..at], &path[at + 1..]))
}

fn categories(bytes: &[u8], findings: &mut Findings) -> Vec<Category> {
    let root = match yaml::read("categories.yaml", bytes) {
        Ok(root) => root,
        Err(finding) => {
            findings.push(finding);
            return Vec::new();
        }
    };
    let Some(nodes) = root
        .get("categories")
        .and_then(Node::list)
        .or_else(|| root.list())
    else {
        findings.error(&root.at, "This must be a list of categories.");
        return Vec::new();
    };
    let mut all = Vec::new();
    for node in nodes {
        let Some(mut fields) = Fields::of(node, "A category", findings) else {
            continue;
        };
        let id = fields.text("id", findings);
        let name = fields.text("name", findings);
        let icon = fields.text("icon", findings);
        fields.finish(findings);
        match (id, name) {
            (Some(id), Some(name)) => all.push(Category { id, name, icon }),
            _ => findings.error(&node.at, "A category needs `id` and `name`."),
        }
    }
    all
}

fn catalog_file(bytes: &[u8], findings: &mut Findings) {
    let node = match yaml::read("catalog.yaml", bytes) {
        Ok(node) => node,
        Err(finding) => return findings.push(finding),
    };
    let Some(mut fields) = Fields::of(&node, "catalog.yaml", findings) else {
        return;
    };
    if fields.number("schema", findings) != Some(1) {
        findings.error(fields.at(), "`schema` must be 1.");
    }
    fields.text("name", findings);
    fields.texts("maintainers", findings);
    fields.text("min_tool_version", findings);
    fields.finish(findings);
}
