//! What can go wrong, and at which places.

use serde::{Deserialize, Serialize};

/// Places that answer over REST.
pub const REST_PLACES: &[&str] = &[
    "login",
    "version",
    "resources",
    "cluster_status",
    "node_status",
    "storages",
    "networks",
    "templates",
    "template_index",
    "download_template",
    "next_id",
    "create_container",
    "start_container",
    "shutdown_container",
    "stop_container",
    "delete_container",
    "container_config",
    "set_container_config",
    "container_status",
    "interfaces",
    "task_status",
    "task_log",
    "tasks",
    "stop_task",
];

/// Places in the SSH server and in the guests.
pub const GUEST_PLACES: &[&str] = &[
    "ssh_connect",
    "pct",
    "pct_exec",
    "apk",
    "docker_start",
    "docker_info",
    "smoke_test",
    "pull",
    "up",
    "health",
    "dhcp",
    "upload",
];

/// What happens at a place. Not every action means something at every place; see [`REST_PLACES`] and
/// [`GUEST_PLACES`] for where they attach.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// REST: 500 with Proxmox's text. SSH: connection or session refused.
    Refuse,
    /// REST: the call is accepted, its task ends with an error.
    FailInTask,
    /// REST: the call is accepted, its task runs until it is stopped or the faults change.
    HangInTask,
    /// REST: the call is carried out, the caller gets 596 instead of its answer.
    AnswerLost,
    /// REST: the caller gets 596 and nothing was done.
    LostBefore,
    /// `create_container`: somebody else makes a container of this number just before the call is carried out.
    Overtaken,
    /// REST: the caller gets 596, and the call is carried out only then: a node's daemon goes on with what the
    /// proxy has given up.
    Late,
    /// The node of this call goes offline, and stays so until it is told to be online again. What runs on it
    /// goes on.
    Offline,
    /// Never answers until the faults change or the caller leaves.
    Hang,
    /// REST: the connection ends in the middle of the answer. SSH: the connection ends.
    Cut,
    /// REST: 401, as for an expired ticket.
    Unauthorized,
    /// REST: 403.
    Forbidden,
    /// Guest: the command fails with the text that the real one would give.
    Fail,
    /// `docker_info`: the storage driver is `vfs`.
    Vfs,
    /// `pull`: there is no such image.
    NotFound,
    /// `pull`: Docker Hub's rate limit.
    RateLimit,
    /// `pull`: the registry does not answer.
    RegistryDown,
    /// `pull`, `upload`: no space left on device.
    DiskFull,
    /// `pull`: a layer holds a user id that the container's id map does not cover.
    BadUid,
    /// `up`: the service starts and dies again and again.
    CrashLoop,
    /// `health`: the service answers 500 and its own health check says unhealthy.
    Unhealthy,
    /// `health`: nothing listens on the port.
    Refused,
    /// `dhcp`: no server answers, the guest gets no address.
    None,
}

impl Action {
    /// Whether it is played at the door, over REST and SSH alike, and not by what is behind it.
    fn is_for_both(self) -> bool {
        matches!(self, Self::Refuse | Self::Hang | Self::Cut | Self::Offline)
    }

    fn is_for_rest(self) -> bool {
        matches!(
            self,
            Self::FailInTask
                | Self::HangInTask
                | Self::AnswerLost
                | Self::LostBefore
                | Self::Overtaken
                | Self::Late
                | Self::Unauthorized
                | Self::Forbidden
        )
    }
}

/// What can go wrong at a place, each in a way of its own; empty for a place that there is not.
pub fn actions_at(place: &str) -> &'static [Action] {
    use Action::{
        AnswerLost, BadUid, CrashLoop, Cut, DiskFull, Fail, FailInTask, Hang, HangInTask, Late,
        LostBefore, None, NotFound, Offline, RateLimit, Refuse, Refused, RegistryDown, Unhealthy,
        Vfs,
    };
    match place {
        "download_template" | "create_container" | "start_container" | "shutdown_container"
        | "stop_container" | "delete_container" => &[
            Refuse, FailInTask, HangInTask, AnswerLost, LostBefore, Late, Cut, Hang, Offline,
        ],
        "set_container_config" | "stop_task" => {
            &[Refuse, AnswerLost, LostBefore, Late, Cut, Hang, Offline]
        }
        // Reads: whether one that was not answered was carried out makes no difference.
        "login" | "version" | "resources" | "cluster_status" | "node_status" | "storages"
        | "networks" | "templates" | "template_index" | "next_id" | "container_config"
        | "container_status" | "interfaces" | "task_status" | "task_log" | "tasks" => {
            &[Refuse, AnswerLost, Cut, Hang, Offline]
        }
        "ssh_connect" | "pct" | "pct_exec" => &[Refuse, Cut, Hang, Offline],
        "apk" | "docker_start" | "smoke_test" => &[Fail],
        "docker_info" => &[Vfs],
        "pull" => &[
            NotFound,
            RateLimit,
            RegistryDown,
            DiskFull,
            BadUid,
            Hang,
            Cut,
        ],
        "up" => &[Fail, CrashLoop],
        "health" => &[Unhealthy, Refused],
        "dhcp" => &[None],
        "upload" => &[DiskFull],
        _ => &[],
    }
}

/// Whether anybody at this place would ever play this; the place must be one of the lists.
pub(super) fn is_played_at(place: &str, action: Action) -> bool {
    if action == Action::Overtaken && place != "create_container" {
        return false;
    }
    if REST_PLACES.contains(&place) {
        action.is_for_both() || action.is_for_rest()
    } else {
        actions_at(place).contains(&action)
    }
}
