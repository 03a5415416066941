//! The files that a deployment writes into its container.

use std::{fmt::Write, net::IpAddr};

use serde_json::{Map, Value, json};

use crate::{Answers, Error, Image, Manifest, ResolvedEndpoint, dotenv, template};

/// What is known of an app and its container when its project is written.
#[derive(Clone, Debug)]
pub struct RenderContext {
    /// Name of the app.
    pub app: String,
    /// Host name of its container.
    pub hostname: String,
    /// Address of its container.
    pub ip: Option<IpAddr>,
    /// Processor cores of its container.
    pub cores: u32,
    /// Memory of its container in MiB.
    pub memory_mib: u64,
    /// Number of its container.
    pub vmid: u32,
}

/// A compose project: what lies in its folder, and what it will run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Project {
    /// Files, sorted by path.
    pub files: Vec<ProjectFile>,
    /// Images that it pulls, as compose will name them.
    pub images: Vec<String>,
    /// Services that it starts.
    pub services: Vec<String>,
}

/// A file of a project.
#[derive(Clone, PartialEq, Eq)]
pub struct ProjectFile {
    /// Path relative to the project's folder, never leading out of it.
    pub path: String,
    /// Permissions.
    pub mode: u32,
    /// Content; may hold secrets.
    pub bytes: Vec<u8>,
}

impl std::fmt::Debug for ProjectFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{} {:o} ({} bytes)",
            self.path,
            self.mode,
            self.bytes.len()
        )
    }
}

impl Manifest {
    /// The project of a deployment with these answers.
    ///
    /// `compose.yaml` is byte for byte that of the entry; values reach it through `.env`, and what Proximity changes
    /// stands in `compose.override.yaml`.
    pub fn render(&self, answers: &Answers, context: &RenderContext) -> Result<Project, Error> {
        self.carriable(answers)?;
        let mut files = vec![
            file("compose.yaml", 0o644, self.files["compose.yaml"].clone()),
            file(
                "compose.override.yaml",
                0o644,
                self.overrides().into_bytes(),
            ),
            file(".env", 0o600, self.environment(answers).into_bytes()),
        ];
        for (path, bytes) in self
            .files
            .iter()
            .filter(|(path, _)| path.starts_with("files/"))
        {
            let mode = if bytes.starts_with(b"#!") {
                0o755
            } else {
                0o644
            };
            files.push(file(path, mode, bytes.clone()));
        }
        let values = self.template_context(answers, context);
        for declared in &self.templates {
            let source = String::from_utf8_lossy(&self.files[&declared.src]);
            let text = template::render(&declared.src, &source, &values).map_err(|message| {
                Error::Template {
                    file: declared.src.clone(),
                    message,
                }
            })?;
            files.push(file(&declared.dest, declared.mode, text.into_bytes()));
        }
        files.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(Project {
            files,
            images: self.images_for(answers),
            services: self
                .active_services(answers)
                .map(|s| s.name.clone())
                .collect(),
        })
    }

    /// Answers may come from storage, so what `.env` cannot carry is refused here too.
    fn carriable(&self, answers: &Answers) -> Result<(), Error> {
        for param in &self.params {
            if answers
                .text(&param.name)
                .is_some_and(|text| text.contains('\0'))
            {
                return Err(Error::Answer {
                    parameter: param.name.clone(),
                    message: "it holds a NUL character, which no environment can carry".to_owned(),
                });
            }
        }
        Ok(())
    }

    fn environment(&self, answers: &Answers) -> String {
        let params = self.params.iter().filter(|p| p.env);
        dotenv::write(params.filter_map(|p| Some((p.name.as_str(), answers.text(&p.name)?))))
    }

    /// Pinned images, and logs that cannot fill the disk. A service that says itself where its logs go keeps that.
    fn overrides(&self) -> String {
        let mut out = String::from(
            "# Written by Proximity beside an unchanged compose.yaml; a deployment writes it anew.\n",
        );
        let mut services = String::new();
        for service in self.services() {
            let pinned = self.images.get(&service.name).map(Image::pinned);
            let pinned = pinned.filter(|image| service.image.as_ref() != Some(image));
            if pinned.is_none() && service.logging {
                continue;
            }
            // Names have only letters, digits, `.`, `_` and `-`, and so has an image besides `/`, `:` and `@`.
            writeln!(services, "  \"{}\":", service.name).expect("writing to a string cannot fail");
            if let Some(image) = pinned {
                writeln!(services, "    image: \"{image}\"")
                    .expect("writing to a string cannot fail");
            }
            if !service.logging {
                services.push_str(
                    "    logging:\n      driver: json-file\n      options:\n        max-size: \"10m\"\n        max-file: \"3\"\n",
                );
            }
        }
        if services.is_empty() {
            out.push_str("services: {}\n");
        } else {
            out.push_str("services:\n");
            out.push_str(&services);
        }
        out
    }

    fn template_context(&self, answers: &Answers, context: &RenderContext) -> Value {
        let mut params = visible(answers);
        for param in &self.params {
            // A parameter without a value is nothing, not undefined: templates ask for it with `if`.
            params.entry(param.name.clone()).or_insert(Value::Null);
        }
        let secrets: Map<String, Value> = answers
            .values
            .iter()
            .filter(|(_, answer)| answer.secret)
            .map(|(name, answer)| (name.clone(), answer.value.clone()))
            .collect();
        let mut lxc = json!({
            "hostname": context.hostname,
            "memory_mib": context.memory_mib,
            "cores": context.cores,
            "id": context.vmid,
        });
        if let Some(ip) = context.ip {
            lxc["ip"] = json!(ip);
        }
        json!({
            "params": params,
            "secrets": secrets,
            "lxc": lxc,
            "app": {"name": context.app, "id": self.id, "version": self.version},
            "endpoints": endpoints(&self.endpoints_for(answers, context.ip)),
        })
    }
}

/// The values by name, as templates see them.
pub(crate) fn visible(answers: &Answers) -> Map<String, Value> {
    let values = answers.values.iter();
    values
        .map(|(name, answer)| (name.clone(), answer.value.clone()))
        .collect()
}

/// Endpoints by name.
fn endpoints(all: &[ResolvedEndpoint]) -> Map<String, Value> {
    all.iter()
        .map(|e| (e.name.clone(), serde_json::to_value(e).unwrap_or_default()))
        .collect()
}

fn file(path: &str, mode: u32, bytes: Vec<u8>) -> ProjectFile {
    ProjectFile {
        path: path.to_owned(),
        mode,
        bytes,
    }
}
