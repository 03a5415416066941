//! What the Alpine template brings.

use crate::guests::GuestSpec;
use crate::unix::{Call, Done, Errno, Files, install_busybox};

/// Bytes of a stock template that are not modelled as files.
const TEMPLATE_BYTES: u64 = 9 << 20;

/// A release of Alpine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Release {
    /// `3.23`.
    pub(super) branch: String,
    /// `3.23.2`.
    pub(super) version: String,
    /// Whether the template's repositories hold `community`.
    pub(super) community: bool,
}

impl Release {
    /// The release of a template by its file name; `None` when it is not Alpine.
    pub(super) fn of(template: &str) -> Option<Self> {
        let name = template.rsplit('/').next().unwrap_or(template);
        let branch = name
            .strip_prefix("alpine-")?
            .split(['-', '_'])
            .next()?
            .to_owned();
        let minor = branch.split('.').nth(1)?.parse::<u32>().ok()?;
        Some(Self {
            version: format!("{branch}.2"),
            // Templates differ in this; one of two neighbouring releases stands for each kind.
            community: minor % 2 == 1,
            branch,
        })
    }

    fn repositories(&self) -> String {
        let mirror = format!("http://dl-cdn.alpinelinux.org/alpine/v{}", self.branch);
        let mut text = format!("{mirror}/main\n");
        if self.community {
            text.push_str(&format!("{mirror}/community\n"));
        }
        text
    }
}

/// Links to busybox for programs that a guest runs itself.
const GUEST_LINKS: &[(&str, &[&str])] = &[
    ("/bin", &["ping"]),
    ("/sbin", &["ip"]),
    ("/usr/bin", &["nc", "nslookup", "wget"]),
];

/// The file system of a new container.
pub(super) fn unpack(spec: &GuestSpec, release: Option<&Release>) -> Result<Files, Errno> {
    let mut files = Files::new(spec.disk);
    files.reserve(TEMPLATE_BYTES)?;
    install_busybox(&mut files, GUEST_LINKS)?;
    for folder in [
        "/etc/apk/keys",
        "/etc/init.d",
        "/etc/runlevels/boot",
        "/etc/runlevels/default",
        "/home",
        "/lib/apk/db",
        "/mnt",
        "/opt",
        "/srv",
        "/usr/local/bin",
        "/usr/local/sbin",
        "/var/cache/apk",
        "/var/lib",
        "/var/log",
    ] {
        files.mkdir_all(folder, 0o755)?;
    }
    files.mkdir("/root", 0o700)?;
    files.put("/lib/ld-musl-x86_64.so.1", "\x7fELF musl\n", 0o755)?;
    files.symlink("ld-musl-x86_64.so.1", "/lib/libc.musl-x86_64.so.1")?;
    files.put("/usr/bin/ldd", crate::unix::binary("ldd"), 0o755)?;
    files.put(
        "/etc/passwd",
        "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/sbin/nologin\n",
        0o644,
    )?;
    files.put(
        "/etc/group",
        "root:x:0:root\nnogroup:x:65533:\nnobody:x:65534:\n",
        0o644,
    )?;
    files.put("/etc/hostname", format!("{}\n", spec.hostname), 0o644)?;
    files.put(
        "/etc/hosts",
        format!("127.0.0.1\tlocalhost\n127.0.1.1\t{}\n", spec.hostname),
        0o644,
    )?;
    files.put("/etc/resolv.conf", "nameserver 10.32.0.1\n", 0o644)?;
    if let Some(release) = release {
        files.put(
            "/etc/alpine-release",
            format!("{}\n", release.version),
            0o644,
        )?;
        files.put(
            "/etc/os-release",
            format!("NAME=\"Alpine Linux\"\nID=alpine\nVERSION_ID={0}\nPRETTY_NAME=\"Alpine Linux v{1}\"\n", release.version, release.branch),
            0o644,
        )?;
        files.put("/etc/apk/repositories", release.repositories(), 0o644)?;
        files.put("/etc/apk/world", "alpine-base\n", 0o644)?;
        files.put("/etc/apk/arch", "x86_64\n", 0o644)?;
        files.put("/sbin/apk", crate::unix::binary("apk"), 0o755)?;
        for program in [
            "/sbin/rc-service",
            "/sbin/service",
            "/sbin/rc-update",
            "/bin/rc-status",
        ] {
            let name = program.rsplit('/').next().unwrap_or(program);
            files.put(program, crate::unix::binary(name), 0o755)?;
        }
        for service in ["networking", "hostname", "bootmisc", "syslog", "crond"] {
            files.put(
                &format!("/etc/init.d/{service}"),
                "#!/sbin/openrc-run\n",
                0o755,
            )?;
        }
        for (level, service) in [
            ("boot", "networking"),
            ("boot", "hostname"),
            ("boot", "bootmisc"),
            ("boot", "syslog"),
            ("default", "crond"),
        ] {
            files.symlink(
                &format!("/etc/init.d/{service}"),
                &format!("/etc/runlevels/{level}/{service}"),
            )?;
        }
    } else {
        files.put("/etc/os-release", "NAME=\"Linux\"\nID=linux\n", 0o644)?;
    }
    mount_volatile(&mut files, spec);
    Ok(files)
}

/// What the kernel and init make anew at each start: `/dev`, `/proc`, `/run`, `/tmp`.
pub(super) fn mount_volatile(files: &mut Files, spec: &GuestSpec) {
    for folder in ["/run", "/tmp"] {
        if files.exists(folder) {
            let names = files.list(folder).unwrap_or_default();
            for name in names {
                // It was listed a moment ago under the same lock.
                let _ = files.remove_all(&format!("{folder}/{name}"));
            }
        } else {
            let _ = files.mkdir_all(folder, if folder == "/tmp" { 0o1777 } else { 0o755 });
        }
    }
    let _ = files.mkdir_all("/run/openrc", 0o755);
    for device in ["null", "zero", "random", "urandom"] {
        let path = format!("/dev/{device}");
        if !files.exists(&path) {
            let _ = files.device(&path, device);
        }
    }
    let kilobytes = spec.memory / 1024;
    for (path, text) in [
        (
            "/proc/meminfo",
            format!(
                "MemTotal:       {kilobytes} kB\nMemFree:        {} kB\nMemAvailable:   {} kB\n",
                kilobytes * 8 / 10,
                kilobytes * 9 / 10
            ),
        ),
        ("/proc/uptime", "12.00 40.00\n".to_owned()),
        ("/proc/1/environ", "container=lxc\0".to_owned()),
        ("/proc/sys/net/ipv4/ip_forward", "1\n".to_owned()),
    ] {
        let _ = files.put(path, text, 0o444);
    }
    let _ = files.mkdir_all("/sys/fs/cgroup", 0o755);
    let _ = files.put(
        "/sys/fs/cgroup/cgroup.controllers",
        "cpuset cpu io memory hugetlb pids rdma misc\n",
        0o444,
    );
}

/// `ldd` of a dynamically linked program: all there is links against musl alone.
pub(super) async fn ldd(call: &mut Call) -> Done {
    let Some(path) = call.args().first().cloned() else {
        return call.fail("missing argument").await;
    };
    if !call.machine.base().files().exists(&call.path(&path)) {
        call.err(format!(
            "/lib/ld-musl-x86_64.so.1: cannot load {path}: No such file or directory\n"
        ))
        .await;
        return Err(1);
    }
    call.out("\t/lib/ld-musl-x86_64.so.1 (0x7f2c1d5c6000)\n\tlibc.musl-x86_64.so.1 => /lib/ld-musl-x86_64.so.1 (0x7f2c1d5c6000)\n").await?;
    Ok(0)
}
