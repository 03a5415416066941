//! Whether an app fits on the cluster as it was seen a moment ago.

use crate::{
    Control, Overview, Settings,
    placement::{self, Demand},
};

/// Whether an app fits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fit {
    /// Nobody knows: the cluster has not been seen yet.
    Unknown,
    /// On so many nodes.
    Fits {
        /// How many.
        nodes: usize,
    },
    /// On none; why, in a sentence.
    Not {
        /// What speaks against the node that comes closest.
        reason: String,
    },
}

impl Control {
    /// Whether the catalog entry with what it recommends fits on the cluster of this view.
    pub fn fit(&self, overview: &Overview, catalog_id: &str) -> Fit {
        let (Some(view), Ok(manifest)) = (&overview.view, self.manifest(catalog_id)) else {
            return Fit::Unknown;
        };
        let usual = &manifest.resources.recommended;
        let demand = Demand {
            cores: usual.cores,
            memory: usual.memory,
            disk: usual.disk,
            architectures: manifest.architectures.clone(),
            ..anywhere(&self.site.settings)
        };
        let candidates = placement::choose(&demand, &view.nodes).candidates;
        let nodes = candidates.iter().filter(|candidate| candidate.fits).count();
        match (nodes, candidates.first()) {
            (0, Some(first)) => Fit::Not {
                reason: format!("{}: {}", first.node, first.reason),
            },
            (0, None) => Fit::Unknown,
            (nodes, _) => Fit::Fits { nodes },
        }
    }
}

/// A demand on any node, with what the settings say.
pub(crate) fn anywhere(settings: &Settings) -> Demand {
    Demand {
        bridge: settings.bridge.clone(),
        storage: settings.storage.clone(),
        template_storage: settings.template_storage.clone(),
        ..Demand::default()
    }
}
