//! The steps of all operations: one unit struct in a file of its own.
//!
//! Each says three things in its documentation: what it **writes down** before it acts, what it **recognises**
//! of its own earlier work, and what its **undo proves** before it destroys anything.

mod await_address;
mod await_docker;
mod check_health;
mod choose_node;
mod create_container;
mod destroy_container;
mod fetch_template;
mod forget_release;
mod grant_features;
mod install_docker;
mod observe_container;
mod publish;
mod pull_images;
mod reserve_vmid;
mod start_container;
mod start_project;
mod stop_container;
mod unpublish;
mod upload_project;

pub use await_address::AwaitAddress;
pub use await_docker::AwaitDocker;
pub use check_health::CheckHealth;
pub use choose_node::ChooseNode;
pub(crate) use choose_node::demand;
pub use create_container::CreateContainer;
pub use destroy_container::DestroyContainer;
pub use fetch_template::FetchTemplate;
pub use forget_release::ForgetRelease;
pub use grant_features::GrantFeatures;
pub use install_docker::InstallDocker;
pub use observe_container::ObserveContainer;
pub use publish::Publish;
pub use pull_images::PullImages;
pub use reserve_vmid::ReserveVmid;
pub(crate) use reserve_vmid::propose;
pub use start_container::StartContainer;
pub use start_project::StartProject;
pub use stop_container::StopContainer;
pub use unpublish::Unpublish;
pub use upload_project::UploadProject;
