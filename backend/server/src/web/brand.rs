//! The signs of apps, from Simple Icons (CC0), by the id of the catalog entry, with the colour that each is known by.

use icondata_core::IconData;

/// An app's sign.
pub(crate) struct Brand {
    /// What is drawn, on 24 by 24.
    pub(crate) drawing: &'static str,
    /// Colour of the tile, RGB.
    pub(crate) colour: [u8; 3],
}

/// The sign of the entry with this id, where the collection has one.
#[rustfmt::skip]
pub(crate) fn find(id: &str) -> Option<Brand> {
    use icondata_si as si;
    let (icon, colour): (&IconData, u32) = match id {
        "actual-budget" => (si::SiActualbudget, 0x66_47_b8),
        "adguard-home" => (si::SiAdguard, 0x4c_9a_5b),
        "audiobookshelf" => (si::SiAudiobookshelf, 0x82_61_2c),
        "code-server" => (si::SiCoder, 0x1c_1c_1c),
        "drone" => (si::SiDrone, 0x21_21_21),
        "emby" => (si::SiEmby, 0x3f_8f_3f),
        "ghost" => (si::SiGhost, 0x35_39_41),
        "gitea" => (si::SiGitea, 0x4f_77_1f),
        "gitlab" => (si::SiGitlab, 0xd4_51_1f),
        "grafana" => (si::SiGrafana, 0xd9_5a_14),
        "home-assistant" => (si::SiHomeassistant, 0x0f_8f_c4),
        "immich" => (si::SiImmich, 0x42_50_af),
        "jellyfin" => (si::SiJellyfin, 0x00_7a_ab),
        "jenkins" => (si::SiJenkins, 0xc1_32_2b),
        "mariadb" => (si::SiMariadb, 0x00_35_45),
        "matomo" => (si::SiMatomo, 0x31_52_a0),
        "mattermost" => (si::SiMattermost, 0x00_58_cc),
        "meilisearch" => (si::SiMeilisearch, 0xd9_2d_8a),
        "minio" => (si::SiMinio, 0xc7_2c_48),
        "mongodb" => (si::SiMongodb, 0x3a_82_3a),
        "mysql" => (si::SiMysql, 0x3c_6a_8c),
        "n8n" => (si::SiN8n, 0xd4_3f_66),
        "nextcloud" => (si::SiNextcloud, 0x00_73_b4),
        "nginx" => (si::SiNginx, 0x00_86_37),
        "node-red" => (si::SiNodered, 0x8f_00_00),
        "ntfy" => (si::SiNtfy, 0x31_7f_6f),
        "paperless-ngx" => (si::SiPaperlessngx, 0x17_54_1f),
        "pihole" => (si::SiPihole, 0x96_06_0c),
        "plex" => (si::SiPlex, 0x8a_67_0a),
        "portainer" => (si::SiPortainer, 0x0e_84_b8),
        "postgresql" => (si::SiPostgresql, 0x41_69_e1),
        "prometheus" => (si::SiPrometheus, 0xc9_46_1f),
        "rabbitmq" => (si::SiRabbitmq, 0xd4_58_00),
        "radarr" => (si::SiRadarr, 0x8a_66_10),
        "redis" => (si::SiRedis, 0xd0_30_26),
        "sonarr" => (si::SiSonarr, 0x1d_7f_96),
        "syncthing" => (si::SiSyncthing, 0x08_81_bd),
        "traefik" => (si::SiTraefikproxy, 0x1d_80_9a),
        "uptime-kuma" => (si::SiUptimekuma, 0x2c_7d_50),
        "vaultwarden" => (si::SiVaultwarden, 0x3b_3f_4a),
        "wikijs" => (si::SiWikidotjs, 0x12_76_b8),
        "wordpress" => (si::SiWordpress, 0x21_75_9b),
        _ => return None,
    };
    let [_, red, green, blue] = colour.to_be_bytes();
    Some(Brand { drawing: icon.data, colour: [red, green, blue] })
}
