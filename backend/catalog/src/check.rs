//! `catalog check`: everything that is to be said about an entry, a compose file or a whole catalog.

use std::{fs, path::Path};

use crate::{Catalog, Error, Files, Finding, Severity, finding::At, folder, manifest};

/// Checks what a path names: a compose file, the folder of an entry, or a catalog. Nothing is found in good ones
/// but notes and warnings.
pub fn check(path: &Path) -> Result<Vec<Finding>, Error> {
    let unreadable = |source| Error::Unreadable {
        path: path.to_owned(),
        source,
    };
    let metadata = fs::metadata(path).map_err(unreadable)?;
    if metadata.is_file() {
        return Ok(check_compose(&fs::read(path).map_err(unreadable)?, None));
    }
    if path.join("apps").is_dir() {
        return Ok(whole(&Catalog::from_dir(path)?));
    }
    let absolute = path.canonicalize().map_err(unreadable)?;
    let id = absolute
        .file_name()
        .map(|n| n.to_string_lossy().into_owned());
    let folder = folder::read(path)?;
    let refused = folder.refused.iter();
    let refused = refused.map(|(file, why)| At::file(file).finding(Severity::Error, why.clone()));
    let mut findings: Vec<Finding> = refused.collect();
    findings.extend(check_files(&id.unwrap_or_default(), folder.files));
    Ok(findings)
}

/// Checks a compose file and, where there is one, its `app.yaml`.
pub fn check_compose(compose: &[u8], app: Option<&[u8]>) -> Vec<Finding> {
    let mut files = Files::from([("compose.yaml".to_owned(), compose.to_vec())]);
    let mut id = "app".to_owned();
    if let Some(app) = app {
        files.insert("app.yaml".to_owned(), app.to_vec());
        // Without a folder, an entry is called what it calls itself.
        let named = crate::yaml::read("app.yaml", app).ok();
        let named = named.and_then(|node| node.get("id").and_then(|n| n.text()).map(str::to_owned));
        id = named.filter(|id| manifest::is_id(id)).unwrap_or(id);
    }
    check_files(&id, files)
}

/// Checks the files of an entry.
pub fn check_files(id: &str, files: Files) -> Vec<Finding> {
    let (manifest, mut findings) = manifest::load(id, files);
    if let Some(manifest) = manifest
        && let Err(Error::Invalid { findings: more, .. }) = manifest.smoke()
    {
        findings.extend(more);
    }
    findings
}

fn whole(catalog: &Catalog) -> Vec<Finding> {
    let below = |entry: &str, finding: &Finding| Finding {
        file: if entry == finding.file {
            entry.to_owned()
        } else {
            format!("{entry}/{}", finding.file)
        },
        ..finding.clone()
    };
    let mut findings = Vec::new();
    for problem in catalog.problems() {
        findings.extend(problem.findings.iter().map(|f| below(&problem.entry, f)));
    }
    for app in catalog.apps() {
        let entry = format!("apps/{}", app.id);
        findings.extend(app.findings.iter().map(|f| below(&entry, f)));
        if let Err(Error::Invalid { findings: more, .. }) = app.smoke() {
            findings.extend(more.iter().map(|f| below(&entry, f)));
        }
    }
    findings
}
