//! The compose project of an app: its release, with the answers of the person who deployed it.

use std::net::IpAddr;

use catalog::{Answers, Bundle, Manifest, ProjectFile, RenderContext};
use saga::{Failure, StepError};
use store::NewRelease;

use crate::{broken, context::Context, health::Check, operations::State, secrets::SecretKey};

/// A release with its answers, both as they were when it was deployed: the catalog may have moved on since.
pub(crate) struct Project {
    manifest: Manifest,
    answers: Answers,
}

/// A release of this version of an entry.
pub(crate) fn release(manifest: &Manifest) -> NewRelease {
    NewRelease {
        catalog_id: manifest.id.clone(),
        version: manifest.version.clone(),
        revision: u32::try_from(manifest.revision).unwrap_or(u32::MAX),
        bundle: serde_json::to_vec(&manifest.bundle()).expect("a bundle is texts and bytes"),
    }
}

/// Where the sealed answers of an app belong; their associated data.
pub(crate) fn answers_row(app: api::AppId) -> String {
    format!("apps/{app}/answers")
}

/// Reads the app's release and opens its answers.
pub(crate) async fn load(context: &Context, state: &State) -> Result<Project, StepError> {
    let app = context.store.apps().get(state.app).await.map_err(broken)?;
    let release = context
        .store
        .releases()
        .get(app.release)
        .await
        .map_err(broken)?;
    Ok(assemble(&context.secrets, &app, &release)?)
}

/// The project that a release is with an app's answers.
pub(crate) fn assemble(
    secrets: &SecretKey,
    app: &store::App,
    release: &store::Release,
) -> Result<Project, Failure> {
    let bundle: Bundle =
        serde_json::from_slice(&release.bundle).map_err(|_| unreadable("its files are damaged"))?;
    let manifest =
        Manifest::from_bundle(&bundle).map_err(|error| unreadable(&error.to_string()))?;
    let answers = open(secrets, app.id, &app.sealed.0)?;
    Ok(Project { manifest, answers })
}

fn open(secrets: &SecretKey, app: api::AppId, sealed: &[u8]) -> Result<Answers, Failure> {
    let plain = secrets.open(&answers_row(app), sealed).map_err(|error| {
        Failure::new(
            "secrets_unreadable",
            format!("The app's secrets cannot be opened: {error}."),
        )
        .hint("Put back the key file that belongs to this database (PROXIMITY_SECRET_KEY_FILE).")
    })?;
    serde_json::from_slice(&plain).map_err(|_| unreadable("its answers are damaged"))
}

fn unreadable(reason: &str) -> Failure {
    Failure::new(
        "release_unreadable",
        format!("The app's stored release cannot be read: {reason}."),
    )
}

impl Project {
    /// The files of the project.
    pub(crate) fn render(&self, state: &State) -> Result<Vec<ProjectFile>, Failure> {
        render(&self.manifest, &self.answers, state)
    }

    /// A service for each image, and the image as people know it; each image once.
    pub(crate) fn images(&self) -> Vec<(String, String)> {
        let text = |name: &str| self.answers.text(name);
        let mut images: Vec<(String, String)> = Vec::new();
        for service in self.manifest.active_services(&self.answers) {
            if let Some(image) = service.image_for(&text)
                && !images.iter().any(|(_, known)| *known == image)
            {
                images.push((service.name.clone(), image));
            }
        }
        images
    }

    /// The names of its services, in the order of the compose file.
    pub(crate) fn services(&self) -> Vec<String> {
        let services = self.manifest.active_services(&self.answers);
        services.map(|service| service.name.clone()).collect()
    }

    /// The user name of the first login, where the catalog entry tells one.
    pub(crate) fn first_username(&self) -> Option<String> {
        let told = self.manifest.first_run.as_ref()?.username.clone()?;
        match told
            .strip_prefix("${")
            .and_then(|rest| rest.strip_suffix('}'))
        {
            Some(variable) => self.answers.text(variable),
            None => Some(told),
        }
    }

    /// The secrets that are shown after a deployment: label and value.
    pub(crate) fn shown_secrets(&self) -> Vec<(String, String)> {
        let shown = self
            .manifest
            .params
            .iter()
            .filter(|param| param.show_after_deploy);
        shown
            .filter_map(|param| Some((param.label.clone(), self.answers.text(&param.name)?)))
            .collect()
    }

    /// The app's own health check.
    pub(crate) fn check(&self) -> Check {
        Check::from(self.manifest.health_for(&self.answers))
    }

    /// What can be opened.
    pub(crate) fn endpoints(&self, state: &State) -> Vec<api::Endpoint> {
        endpoints(&self.manifest, &self.answers, state.address)
    }
}

/// The files of a project with these answers.
pub(crate) fn render(
    manifest: &Manifest,
    answers: &Answers,
    state: &State,
) -> Result<Vec<ProjectFile>, Failure> {
    let project = manifest.render(answers, &render_context(state)?);
    let project = project.map_err(|error| {
        Failure::new(
            "project_not_rendered",
            format!("The app's files cannot be made: {error}."),
        )
        .hint("The catalog entry has a fault; `proximity catalog check` tells where.")
    })?;
    Ok(project.files)
}

/// What can be opened, the primary one first.
pub(crate) fn endpoints(
    manifest: &Manifest,
    answers: &Answers,
    address: Option<IpAddr>,
) -> Vec<api::Endpoint> {
    let mut endpoints: Vec<api::Endpoint> = manifest
        .endpoints_for(answers, address)
        .into_iter()
        .map(|endpoint| api::Endpoint {
            name: endpoint.name,
            scheme: endpoint.scheme,
            port: endpoint.port,
            url: endpoint.connect.unwrap_or(endpoint.url),
            primary: endpoint.primary,
        })
        .collect();
    endpoints.sort_by_key(|endpoint| !endpoint.primary);
    endpoints
}

fn render_context(state: &State) -> Result<RenderContext, Failure> {
    Ok(RenderContext {
        app: state.name.clone(),
        hostname: state.hostname.clone(),
        ip: state.address,
        cores: state.size.cores,
        memory_mib: state.size.memory >> 20,
        vmid: state.vmid()?.get(),
    })
}
