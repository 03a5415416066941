//! The pictures of the interface, from Lucide (ISC licence), by what they mean here.

use icondata_core::IconData;

/// The picture with this name as an element that takes the colour of the text. Silent to screen readers: a word
/// always stands beside it or in its label.
pub(crate) fn svg(name: &str) -> Option<String> {
    let icon = find(name)?;
    Some(format!(
        "<svg class=\"icon icon-{name}\" viewBox=\"0 0 24 24\" width=\"16\" height=\"16\" fill=\"none\" \
         stroke=\"currentColor\" stroke-width=\"2\" stroke-linecap=\"round\" stroke-linejoin=\"round\" \
         aria-hidden=\"true\">{}</svg>",
        icon.data
    ))
}

/// Names say what a picture stands for, so that the same thing has the same picture everywhere.
#[rustfmt::skip]
fn find(name: &str) -> Option<&'static IconData> {
    Some(match name {
        // places
        "home" => icondata_lu::LuHouse,
        "catalog" => icondata_lu::LuLayoutGrid,
        "operations" => icondata_lu::LuActivity,
        "nodes" => icondata_lu::LuServer,
        "settings" => icondata_lu::LuSettings,
        "docs" => icondata_lu::LuCodeXml,
        // states
        "running" => icondata_lu::LuCirclePlay,
        "stopped" => icondata_lu::LuCircleStop,
        "working" => icondata_lu::LuLoaderCircle,
        "waiting" => icondata_lu::LuClock,
        "pending" => icondata_lu::LuCircleDashed,
        "done" => icondata_lu::LuCircleCheck,
        "failed" => icondata_lu::LuCircleX,
        "undo" => icondata_lu::LuUndo2,
        "attention" => icondata_lu::LuTriangleAlert,
        "deleted" | "delete" => icondata_lu::LuTrash2,
        "maintenance" => icondata_lu::LuWrench,
        "parked" => icondata_lu::LuCirclePause,
        "info" => icondata_lu::LuInfo,
        "simulation" => icondata_lu::LuFlaskConical,
        // actions
        "open" => icondata_lu::LuExternalLink,
        "start" => icondata_lu::LuPlay,
        "stop" => icondata_lu::LuSquare,
        "restart" => icondata_lu::LuRotateCw,
        "retry" | "refresh" => icondata_lu::LuRefreshCw,
        "deploy" => icondata_lu::LuRocket,
        "add" => icondata_lu::LuPlus,
        "copy" => icondata_lu::LuCopy,
        "check" => icondata_lu::LuCheck,
        "close" => icondata_lu::LuX,
        "search" => icondata_lu::LuSearch,
        "filter" => icondata_lu::LuSettings2,
        "download" => icondata_lu::LuDownload,
        "pause" => icondata_lu::LuPause,
        "wrap" => icondata_lu::LuWrapText,
        "print" => icondata_lu::LuPrinter,
        "show" => icondata_lu::LuEye,
        "hide" => icondata_lu::LuEyeOff,
        "generate" => icondata_lu::LuDices,
        "more" => icondata_lu::LuEllipsis,
        "menu" => icondata_lu::LuMenu,
        "next" => icondata_lu::LuChevronRight,
        "down" => icondata_lu::LuChevronDown,
        "arrow" => icondata_lu::LuArrowRight,
        "back" => icondata_lu::LuArrowLeft,
        "link" => icondata_lu::LuLink,
        "logout" => icondata_lu::LuLogOut,
        "power" => icondata_lu::LuPower,
        // things
        "user" => icondata_lu::LuUser,
        "key" => icondata_lu::LuKeyRound,
        "shield" => icondata_lu::LuShield,
        "cpu" => icondata_lu::LuCpu,
        "memory" => icondata_lu::LuMemoryStick,
        "disk" => icondata_lu::LuHardDrive,
        "network" => icondata_lu::LuNetwork,
        "app" => icondata_lu::LuPackage,
        "logs" => icondata_lu::LuFileText,
        "history" => icondata_lu::LuHistory,
        "terminal" => icondata_lu::LuTerminal,
        "database" => icondata_lu::LuDatabase,
        "web" => icondata_lu::LuGlobe,
        "keyboard" => icondata_lu::LuKeyboard,
        "command" => icondata_lu::LuCommand,
        "appearance" => icondata_lu::LuPalette,
        "light" => icondata_lu::LuSun,
        "dark" => icondata_lu::LuMoon,
        "system" => icondata_lu::LuMonitor,
        _ => return None,
    })
}
