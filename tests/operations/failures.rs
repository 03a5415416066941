//! What goes wrong on a cluster, one thing at a time: each ends as an explained failure with nothing left.

use serde_json::{Value, json};
use sim::Templates;

use super::world;
use crate::world::{Actor, World};

/// Deploys an app that must fail, and answers why it did.
async fn failure(admin: &Actor) -> Value {
    let (operation, app) = admin.deploy(json!({"catalog_id": "uptime-kuma"})).await;
    let operation = admin.finished(&operation).await;
    assert_eq!(operation["status"], "unwound", "{operation:#}");
    let gone = admin.get(&format!("/api/v1/apps/{app}")).await;
    assert_eq!(gone.body["state"], "deleted", "{gone:?}");
    operation["error"].clone()
}

/// Expects that a failure says what to do and has left nothing, and that the same works once the faults are gone.
async fn leaves_nothing_and_passes(world: World, admin: &Actor, error: &Value) {
    assert!(
        error["hint"].as_str().is_some_and(|hint| hint.len() > 10),
        "{error:#}"
    );
    assert_eq!(world.containers().await, []);
    world.faults(Vec::new());
    admin.deployed(json!({"catalog_id": "uptime-kuma"})).await;
    world.end().await;
}

/// Expects a failure in a step with a code, a hint, and nothing left; then that the same works once the fault
/// is gone.
async fn fails(world: World, rules: Vec<Value>, step: &str, code: &str) {
    let admin = world.admin().await;
    world.faults(rules);
    let error = failure(&admin).await;
    assert_eq!(
        (error["step"].as_str(), error["code"].as_str()),
        (Some(step), Some(code)),
        "{error:#}"
    );
    leaves_nothing_and_passes(world, &admin, &error).await;
}

/// One test a row: the fault, the step that meets it, the code that explains it.
macro_rules! failures {
    ($($name:ident: $rule:tt => $step:literal, $code:literal;)*) => {$(
        #[tokio::test]
        async fn $name() {
            fails(world().start().await, vec![json!($rule)], $step, $code).await;
        }
    )*};
}

failures! {
    a_create_that_fails_inside_its_task:
        {"on": "create_container", "do": "fail_in_task"} => "create_container", "task_failed";
    a_create_that_is_forbidden:
        {"on": "create_container", "do": "forbidden"} => "create_container", "cluster_forbidden";
    a_start_that_fails_inside_its_task:
        {"on": "start_container", "do": "fail_in_task"} => "start_container", "container_start_failed";
    a_docker_that_never_answers:
        {"on": "docker_start", "do": "fail"} => "install_docker", "docker_not_answering";
    a_package_mirror_that_is_down:
        {"on": "apk", "do": "fail"} => "install_docker", "packages_unavailable";
    a_docker_that_uses_vfs:
        {"on": "docker_info", "do": "vfs"} => "install_docker", "docker_vfs";
    a_host_that_blocks_docker:
        {"on": "smoke_test", "do": "fail"} => "install_docker", "docker_blocked_by_host";
    a_full_disk_while_writing_files:
        {"on": "upload", "do": "disk_full"} => "upload_project", "disk_full";
    an_image_that_does_not_exist:
        {"on": "pull", "do": "not_found"} => "pull_images", "image_not_found";
    a_registry_that_limits_its_rate:
        {"on": "pull", "do": "rate_limit"} => "pull_images", "registry_rate_limit";
    a_registry_that_is_down:
        {"on": "pull", "do": "registry_down"} => "pull_images", "registry_unreachable";
    a_full_disk_while_pulling:
        {"on": "pull", "do": "disk_full"} => "pull_images", "disk_full";
    an_image_with_user_ids_out_of_range:
        {"on": "pull", "do": "bad_uid"} => "pull_images", "image_uid_out_of_range";
    services_that_cannot_start:
        {"on": "up", "do": "fail"} => "start_project", "services_not_started";
    a_node_that_refuses_ssh:
        {"on": "ssh_connect", "do": "refuse"} => "install_docker", "ssh_unreachable";
}

#[tokio::test]
async fn a_service_that_crashes_again_and_again() {
    let world = world().set("TIMEOUT_SERVICE_START", "3s").start().await;
    fails(
        world,
        vec![json!({"on": "up", "do": "crash_loop"})],
        "check_health",
        "service_crashing",
    )
    .await;
}

#[tokio::test]
async fn an_app_that_never_becomes_healthy() {
    let world = world().set("TIMEOUT_SERVICE_START", "3s").start().await;
    fails(
        world,
        vec![json!({"on": "health", "do": "refused"})],
        "check_health",
        "health_check_failed",
    )
    .await;
}

#[tokio::test]
async fn a_pull_that_hangs_past_its_limit() {
    let world = world().set("TIMEOUT_IMAGE_PULL", "2s").start().await;
    fails(
        world,
        vec![json!({"on": "pull", "do": "hang"})],
        "pull_images",
        "command_timeout",
    )
    .await;
}

#[tokio::test]
async fn no_dhcp_server() {
    let world = world().set("TIMEOUT_ADDRESS", "2s").start().await;
    fails(
        world,
        vec![json!({"on": "dhcp", "do": "none"})],
        "await_address",
        "no_address",
    )
    .await;
}

#[tokio::test]
async fn a_template_that_cannot_be_downloaded() {
    let world = world().templates(Templates::Nowhere).start().await;
    let rule = json!({"on": "download_template", "do": "fail_in_task"});
    fails(
        world,
        vec![rule],
        "fetch_template",
        "template_download_failed",
    )
    .await;
}

#[tokio::test]
async fn a_missing_template_is_downloaded() {
    let world = world().templates(Templates::Nowhere).start().await;
    let admin = world.admin().await;
    admin.deployed(json!({"catalog_id": "uptime-kuma"})).await;
    world.end().await;
}

#[tokio::test]
async fn a_cluster_that_does_not_answer() {
    let world = world().start().await;
    // Placement may go by a look at the cluster that is a moment old: nothing of it answers any more.
    let cut = |call: &str| json!({"on": call, "do": "cut"});
    let admin = world.admin().await;
    world.faults(
        ["resources", "next_id", "version", "storages"]
            .map(cut)
            .to_vec(),
    );
    let error = failure(&admin).await;
    assert_eq!(error["code"], "cluster_unreachable", "{error:#}");
    let step = error["step"].as_str().unwrap();
    assert!(["choose_node", "reserve_vmid"].contains(&step), "{error:#}");
    leaves_nothing_and_passes(world, &admin, &error).await;
}

#[tokio::test]
async fn no_node_fits_and_each_says_why() {
    let world = world().nodes(3).start().await;
    let admin = world.admin().await;
    let body = json!({"catalog_id": "uptime-kuma", "resources": {"memory": 1_u64 << 42}});
    let plan = admin.post("/api/v1/apps?plan=true", body.clone()).await;
    assert_eq!(plan.status, 200);
    assert_eq!(plan.body["candidates"].as_array().unwrap().len(), 3);
    assert!(plan.body.get("node").is_none(), "{:#}", plan.body);
    let (operation, _) = admin.deploy(body).await;
    let operation = admin.finished(&operation).await;
    let error = &operation["error"];
    assert_eq!(
        (operation["status"].as_str(), error["code"].as_str()),
        (Some("unwound"), Some("no_fitting_node"))
    );
    for node in ["pve1", "pve2", "pve3"] {
        assert!(
            error["message"]
                .as_str()
                .unwrap()
                .contains(&format!("{node}: ")),
            "{error:#}"
        );
    }
    world.end().await;
}

/// Things that go wrong and are put right on the way: the deployment ends well, with one container.
#[tokio::test]
async fn what_can_be_put_right_is() {
    let world = world().start().await;
    let admin = world.admin().await;
    for rule in [
        json!({"on": "create_container", "do": "answer_lost", "times": 1}),
        json!({"on": "create_container", "do": "lost_before", "times": 1}),
        json!({"on": "start_container", "do": "answer_lost", "times": 1}),
        json!({"on": "task_status", "do": "cut", "times": 2}),
        json!({"on": "apk", "do": "fail", "times": 1}),
        json!({"on": "container_status", "do": "unauthorized", "times": 1}),
        json!({"on": "interfaces", "do": "cut", "times": 1}),
    ] {
        world.fault(rule.clone());
        let app = admin.deployed(json!({"catalog_id": "uptime-kuma"})).await;
        assert_eq!(world.containers().await.len(), 1, "after {rule}");
        admin.done(app["id"].as_str().unwrap(), "delete").await;
        assert_eq!(world.containers().await, [], "after {rule}");
    }
    world.end().await;
}

#[tokio::test]
async fn a_ticket_that_expires_in_the_middle_is_renewed() {
    let world = world().start().await;
    let admin = world.admin().await;
    admin
        .deployed(json!({"catalog_id": "uptime-kuma", "name": "one"}))
        .await;
    world.cluster().expire_tickets();
    admin
        .deployed(json!({"catalog_id": "uptime-kuma", "name": "two"}))
        .await;
    world.end().await;
}

#[tokio::test]
async fn a_container_that_was_destroyed_by_hand() {
    let world = world().start().await;
    let admin = world.admin().await;
    let app = admin.deployed(json!({"catalog_id": "uptime-kuma"})).await;
    assert!(
        world
            .cluster()
            .destroy_by_hand(u32::try_from(app["vmid"].as_u64().unwrap()).unwrap())
            .await
    );
    let operation = admin
        .finished(&admin.begin("uptime-kuma", "restart").await)
        .await;
    assert_eq!(
        operation["error"]["code"], "container_missing",
        "{operation:#}"
    );
    admin.done("uptime-kuma", "delete").await;
    world.end().await;
}

#[tokio::test]
async fn a_node_that_goes_offline_and_comes_back() {
    let world = world().start().await;
    let admin = world.admin().await;
    admin.deployed(json!({"catalog_id": "uptime-kuma"})).await;
    let online = |online| serde_json::from_value(json!({"online": online})).unwrap();
    world
        .cluster()
        .change_node("pve1", &online(false))
        .await
        .unwrap();
    let operation = admin
        .finished(&admin.begin("uptime-kuma", "stop").await)
        .await;
    assert_eq!(operation["error"]["code"], "node_offline", "{operation:#}");
    // Nothing is deleted because a node does not answer.
    assert_eq!(
        admin.get("/api/v1/apps/uptime-kuma").await.body["state"],
        "running"
    );
    world
        .cluster()
        .change_node("pve1", &online(true))
        .await
        .unwrap();
    admin.done("uptime-kuma", "stop").await;
    world.end().await;
}

#[tokio::test]
async fn an_api_token_sets_the_features_it_may_not_set_over_ssh() {
    let world = world().by_token().start().await;
    let admin = world.admin().await;
    let app = admin.deployed(json!({"catalog_id": "uptime-kuma"})).await;
    let state = world.cluster().state().await;
    let mine = state["containers"]
        .as_array()
        .unwrap()
        .iter()
        .find(|row| row["vmid"] == app["vmid"])
        .unwrap();
    let features = mine["config"]["features"].as_str().unwrap();
    assert!(
        features.contains("nesting=1") && features.contains("keyctl=1"),
        "{features}"
    );
    assert_eq!(
        mine["config"]["unprivileged"].to_string().trim_matches('"'),
        "1"
    );
    world.end().await;
}
