//! The catalog, as people browse it.

use api::{
    CatalogApp, CatalogDetail, CatalogParameter, CheckRequest, Checked, FirstRun, ParameterOption,
};
use catalog::Manifest;

use crate::{Control, Error};

impl Control {
    /// The entries that fit a text and a category, best first.
    pub fn catalog(&self, text: Option<&str>, category: Option<&str>) -> Vec<CatalogApp> {
        self.site
            .catalog
            .search(text.unwrap_or_default(), category)
            .into_iter()
            .map(row)
            .collect()
    }

    /// Id and name of every category, in the order of the catalog.
    pub fn categories(&self) -> Vec<(String, String)> {
        self.site
            .catalog
            .categories()
            .iter()
            .map(|category| (category.id.clone(), category.name.clone()))
            .collect()
    }

    /// One entry.
    pub fn catalog_app(&self, id: &str) -> Result<CatalogDetail, Error> {
        Ok(detail(self.manifest(id)?))
    }

    /// The picture that an entry brings along: its media type and its content, which the catalog has looked through.
    pub fn catalog_icon(&self, id: &str) -> Option<(&'static str, &[u8])> {
        self.manifest(id).ok()?.icon_bytes()
    }

    /// What a catalog entry or a compose file would be found to be.
    pub fn check(&self, request: &CheckRequest) -> Checked {
        let app = request.app.as_ref().map(String::as_bytes);
        let findings: Vec<api::Finding> = catalog::check_compose(request.compose.as_bytes(), app)
            .into_iter()
            .map(|finding| api::Finding {
                severity: match finding.severity {
                    catalog::Severity::Note => api::Severity::Note,
                    catalog::Severity::Warning => api::Severity::Warning,
                    catalog::Severity::Error => api::Severity::Error,
                },
                file: finding.file,
                line: (finding.line > 0).then_some(finding.line),
                column: (finding.column > 0).then_some(finding.column),
                message: finding.message,
            })
            .collect();
        Checked {
            ok: findings
                .iter()
                .all(|finding| finding.severity != api::Severity::Error),
            findings,
        }
    }

    pub(crate) fn manifest(&self, id: &str) -> Result<&Manifest, Error> {
        self.site.catalog.get(id).ok_or(Error::NotFound {
            what: "catalog app",
        })
    }
}

fn row(manifest: &Manifest) -> CatalogApp {
    let needs = manifest.resources.recommended;
    CatalogApp {
        id: manifest.id.clone(),
        name: manifest.name.clone(),
        version: manifest.version.clone(),
        tagline: manifest.tagline.clone(),
        category: manifest.category.clone(),
        tags: manifest.tags.clone(),
        resources: api::Resources {
            cores: Some(needs.cores),
            memory: Some(needs.memory),
            swap: Some(needs.swap),
            disk: Some(needs.disk),
        },
    }
}

fn detail(manifest: &Manifest) -> CatalogDetail {
    CatalogDetail {
        app: row(manifest),
        readme: manifest.readme.clone(),
        links: manifest.links.clone(),
        licence: manifest.licence.clone(),
        architectures: manifest.architectures.clone(),
        parameters: manifest.params.iter().map(parameter).collect(),
        images: manifest.image_references(),
        first_run: manifest.first_run.as_ref().map(|first_run| FirstRun {
            kind: first_run.kind.clone(),
            username: first_run.username.clone(),
            password_parameter: first_run.password.clone(),
            note: first_run.note.clone(),
        }),
    }
}

fn parameter(param: &catalog::Param) -> CatalogParameter {
    CatalogParameter {
        name: param.name.clone(),
        label: param.label.clone(),
        help: param.help.clone(),
        kind: param.kind.as_str().to_owned(),
        // A secret's default would be a published password.
        default: param.default.clone().filter(|_| !param.is_secret()),
        required: param.required,
        generated: param.generate.is_some(),
        options: param
            .options
            .iter()
            .map(|choice| ParameterOption {
                value: choice.value.clone(),
                label: choice.label.clone(),
            })
            .collect(),
        advanced: param.advanced,
        immutable: param.immutable,
        hidden: param.hidden,
    }
}
