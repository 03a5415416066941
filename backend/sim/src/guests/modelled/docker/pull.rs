//! Fetching images, with the progress lines of `docker pull` and of `docker compose --progress plain`.

use std::time::Duration;

use super::Docker;
use super::image::{self, Image, Layer};
use super::known;
use crate::faults::{Action, Fault};
use crate::guests::modelled::network;
use crate::unix::{Call, Errno};

/// Who asks.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::guests::modelled) enum Style {
    /// `docker pull`: standard output, no bars where it is no terminal.
    Docker,
    /// `docker compose pull`: standard error, bars and all.
    Compose,
}

/// How many times a bar moves while a layer comes.
const STEPS: u64 = 4;

struct Progress<'a> {
    call: &'a Call,
    style: Style,
}

impl Progress<'_> {
    async fn layer(&self, layer: &Layer, text: &str) -> Result<(), i32> {
        match self.style {
            Style::Compose => {
                self.call.err(format!(" {} {text} \n", layer.id)).await;
                Ok(())
            }
            Style::Docker if text.contains('[') => Ok(()),
            Style::Docker => self.call.out(format!("{}: {text}\n", layer.id)).await,
        }
    }
}

/// `[=====>     ]  1.2MB/3.4MB`.
fn bar(done: u64, size: u64) -> String {
    let filled = usize::try_from(done * 50 / size.max(1))
        .unwrap_or(50)
        .clamp(1, 50);
    let shown = |bytes: u64| match bytes {
        0..1_000 => format!("{bytes}B"),
        1_000..1_000_000 => format!("{}.{}kB", bytes / 1_000, bytes % 1_000 / 100),
        _ => format!("{}.{:02}MB", bytes / 1_000_000, bytes % 1_000_000 / 10_000),
    };
    format!(
        "[{}>{}] {:>7}/{}",
        "=".repeat(filled - 1),
        " ".repeat(50 - filled),
        shown(done),
        shown(size)
    )
}

/// How long an image takes on a line of about 50 MB/s.
fn duration(size: u64) -> Duration {
    Duration::from_millis((4_000 + size / 20_000).min(20_000))
}

impl Docker<'_> {
    /// Fetches an image. The error is what the daemon says.
    pub(in crate::guests::modelled) async fn pull(
        self,
        call: &Call,
        reference: &str,
        style: Style,
    ) -> Result<Image, String> {
        if !image::is_valid(reference) {
            return Err("invalid reference format".to_owned());
        }
        let fault = self.guest.fault("pull");
        if let Some(message) = self.unavailable(reference, fault.as_ref()) {
            self.guest.pace().take(Duration::from_millis(900)).await;
            return Err(message);
        }
        let image = Image::in_registry(reference);
        let progress = Progress { call, style };
        let wanted: Vec<&Layer> = {
            let state = self.state();
            image
                .layers
                .iter()
                .filter(|layer| !state.layers.contains_key(&layer.id))
                .collect()
        };
        // Nobody reads the progress any more: the daemon goes on for as long as its client lives.
        let closed = |_| "context canceled".to_owned();
        for layer in &image.layers {
            let text = if wanted.contains(&layer) {
                "Pulling fs layer"
            } else {
                "Already exists"
            };
            progress.layer(layer, text).await.map_err(closed)?;
        }
        for (number, layer) in wanted.iter().enumerate() {
            self.download(layer, &progress, duration(image.size()))
                .await
                .map_err(closed)?;
            if number == 0 {
                self.breaks_off(fault.as_ref()).await?;
            }
            self.extract(layer, &progress).await?;
        }
        let mut state = self.state();
        if state.image(&image.reference).is_none() {
            state.images.push(image.clone());
        }
        state.changed();
        Ok(image)
    }

    /// Why the registry does not give the image.
    fn unavailable(self, reference: &str, fault: Option<&Fault>) -> Option<String> {
        let not_found = format!(
            "manifest for {} not found: manifest unknown: manifest unknown",
            image::normal(reference)
        );
        let down = "Get \"https://registry-1.docker.io/v2/\": net/http: request canceled while waiting for connection (Client.Timeout exceeded while awaiting headers)";
        if network::address(self.guest).is_none() {
            return Some("Get \"https://registry-1.docker.io/v2/\": dial tcp: lookup registry-1.docker.io on 10.32.0.1:53: read udp 10.32.0.2:37021->10.32.0.1:53: i/o timeout".to_owned());
        }
        match fault.map(|fault| (fault.action, fault)) {
            Some((Action::NotFound | Action::Fail, fault)) => Some(fault.text(&not_found)),
            Some((Action::RateLimit, fault)) => Some(fault.text("toomanyrequests: You have reached your pull rate limit. You may increase the limit by authenticating and upgrading: https://www.docker.com/increase-rate-limit")),
            Some((Action::RegistryDown | Action::Refuse, fault)) => Some(fault.text(down)),
            _ if !known::exists(reference) => Some(not_found),
            _ => None,
        }
    }

    async fn download(
        self,
        layer: &Layer,
        progress: &Progress<'_>,
        whole: Duration,
    ) -> Result<(), i32> {
        let realistic = self.guest.pace().is_realistic();
        let steps = if realistic { STEPS } else { 1 };
        let time = whole / 4;
        for step in 1..=steps {
            self.guest
                .pace()
                .take(time / u32::try_from(steps).unwrap_or(1))
                .await;
            let done = layer.size * step / steps;
            progress
                .layer(layer, &format!("Downloading {}", bar(done, layer.size)))
                .await?;
        }
        progress.layer(layer, "Verifying Checksum").await?;
        progress.layer(layer, "Download complete").await
    }

    /// What goes wrong in the middle of a pull.
    async fn breaks_off(self, fault: Option<&Fault>) -> Result<(), String> {
        let Some(fault) = fault else { return Ok(()) };
        match fault.action {
            Action::Hang => {
                self.guest.faults().lets_go(fault).await;
                Ok(())
            }
            Action::Cut => Err(fault.text("unexpected EOF")),
            Action::DiskFull => Err(fault.text("failed to register layer: write /usr/lib/x86_64-linux-gnu/libicudata.so.72.1: no space left on device")),
            Action::BadUid => Err(fault.text("failed to register layer: failed to Lchown \"/app/node_modules\" for UID 1516583083, GID 0 (try increasing the number of subordinate IDs in /etc/subuid and /etc/subgid): lchown /app/node_modules: invalid argument")),
            _ => Ok(()),
        }
    }

    async fn extract(self, layer: &Layer, progress: &Progress<'_>) -> Result<(), String> {
        let closed = |_| "context canceled".to_owned();
        progress
            .layer(
                layer,
                &format!("Extracting {}", bar(layer.size, layer.size)),
            )
            .await
            .map_err(closed)?;
        let stored = {
            let base = crate::unix::Machine::base(self.guest);
            let mut state = self.state();
            if state.layers.contains_key(&layer.id) {
                Ok(())
            } else {
                // On the disk a layer is about twice as large as in the registry.
                let reserved = base.files().reserve(layer.size * 2);
                if reserved.is_ok() {
                    state.layers.insert(layer.id.clone(), layer.size * 2);
                }
                reserved
            }
        };
        match stored {
            Ok(()) => progress.layer(layer, "Pull complete").await.map_err(closed),
            Err(Errno::NoSpace) => Err(format!(
                "failed to register layer: write /var/lib/docker/tmp/GetImageBlob{}: no space left on device",
                &layer.id[..9]
            )),
            Err(errno) => Err(format!("failed to register layer: {errno}")),
        }
    }

    /// Removes an image, and the layers that no other one needs.
    pub(in crate::guests::modelled) fn remove_image(self, reference: &str) {
        let mut state = self.state();
        state.images.retain(|image| image.reference != reference);
        let kept: Vec<String> = state
            .images
            .iter()
            .flat_map(|image| image.layers.iter().map(|layer| layer.id.clone()))
            .collect();
        let gone: Vec<String> = state
            .layers
            .keys()
            .filter(|id| !kept.contains(id))
            .cloned()
            .collect();
        let freed: u64 = gone.iter().filter_map(|id| state.layers.remove(id)).sum();
        drop(state);
        crate::unix::Machine::base(self.guest)
            .files()
            .release(freed);
    }
}
