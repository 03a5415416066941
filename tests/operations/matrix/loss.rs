//! A lost database: the app's container is there, and no row knows it.

use std::path::PathBuf;

use api::OperationKind;

use super::town::Town;

/// What was there before the app, and the container that it left.
pub(super) struct Loss {
    /// The database from before the app was deployed.
    before: PathBuf,
    /// Number of the container.
    pub(super) vmid: u32,
    /// Its node.
    pub(super) node: String,
}

impl Town {
    /// Has the database forget the app that the cases are about. Its container stays.
    pub(super) async fn forget_app(&mut self) {
        let loss = match self.loss.take() {
            Some(loss) => loss,
            None => self.leave_container().await,
        };
        self.kill().await;
        // Never a file that a process of before may still hold.
        self.database = self.folder().join(format!("lost-{}.db", self.begun));
        std::fs::copy(&loss.before, &self.database).expect("a copy");
        self.loss = Some(loss);
        self.begin().await;
    }

    async fn leave_container(&mut self) -> Loss {
        let store = self.store().clone();
        self.kill().await;
        store.close().await.expect("closed");
        let before = self.folder().join("before.db");
        std::fs::copy(&self.database, &before).expect("a copy");
        self.begin().await;
        // To stop an app, it must be there and run.
        self.prepare_app(OperationKind::Stop).await;
        let app = self.control().app(super::town::APP).await.expect("an app");
        Loss {
            before,
            vmid: app.vmid.expect("a number"),
            node: app.node.expect("a node"),
        }
    }
}
