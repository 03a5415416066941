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
mod power;
mod publish;
mod pull_images;
mod read_project;
mod reserve_vmid;
mod restore_power;
mod start_container;
mod start_project;
mod stop_container;
mod unpublish;
mod upload_project;

pub(crate) use await_address::AwaitAddress;
pub(crate) use await_docker::AwaitDocker;
pub(crate) use check_health::CheckHealth;
pub(crate) use choose_node::ChooseNode;
pub(crate) use choose_node::demand;
pub(crate) use create_container::CreateContainer;
pub(crate) use destroy_container::DestroyContainer;
pub(crate) use fetch_template::FetchTemplate;
pub(crate) use forget_release::ForgetRelease;
pub(crate) use grant_features::GrantFeatures;
pub(crate) use install_docker::InstallDocker;
pub(crate) use observe_container::ObserveContainer;
pub(crate) use publish::Publish;
pub(crate) use pull_images::PullImages;
pub(crate) use read_project::ReadProject;
pub(crate) use reserve_vmid::ReserveVmid;
pub(crate) use reserve_vmid::propose;
pub(crate) use restore_power::RestorePower;
pub(crate) use start_container::StartContainer;
pub(crate) use start_project::StartProject;
pub(crate) use stop_container::StopContainer;
pub(crate) use unpublish::Unpublish;
pub(crate) use upload_project::UploadProject;
