//! Steps in plain words. The only place that knows them; a step that is not listed is named by its own name.

/// What a step does, as people say it: `Install Docker`.
pub(crate) fn title(step: &str) -> String {
    let known = match step {
        "choose_node" => "Choose the node",
        "reserve_vmid" => "Reserve a container number",
        "fetch_template" => "Fetch the template",
        "create_container" => "Create the container",
        "grant_features" => "Grant its features",
        "start_container" => "Start the container",
        "stop_container" => "Stop the container",
        "observe_container" => "Look at the container",
        "destroy_container" => "Destroy the container",
        "await_address" => "Wait for its address",
        "install_docker" => "Install Docker",
        "await_docker" => "Wait for Docker",
        "upload_project" => "Write the app’s files",
        "pull_images" => "Pull the images",
        "start_project" => "Start the services",
        "check_health" => "Check that it is healthy",
        "read_project" => "Read the app’s files",
        "restore_power" => "Leave the power as it was",
        "publish" => "Publish the app",
        "unpublish" => "Take the app off",
        "forget_release" => "Forget the app",
        other => return from_name(other),
    };
    known.to_owned()
}

/// `drop_snapshot` → `Drop snapshot`.
fn from_name(step: &str) -> String {
    let words = step.replace('_', " ");
    let mut letters = words.chars();
    let first = letters.next().map(|first| first.to_uppercase().to_string());
    first.unwrap_or_default() + letters.as_str()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_that_is_not_listed_is_named_by_its_own_name() {
        assert_eq!(title("create_container"), "Create the container");
        assert_eq!(title("drop_snapshot"), "Drop snapshot");
        assert_eq!(title(""), "");
    }
}
