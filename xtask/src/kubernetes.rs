//! A cluster of Kubernetes for the tests: API server, controllers, scheduler and kubelet built from their modules (once, in
//! target/tools), etcd, containerd and runc from Debian. Pods really run; everything else listens on loopback.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use crate::command::{self, Result, find, read, root};
use crate::services::{end, free_port, log, postgres_on, postgres_programs, tied, wait_for};
use crate::test::Missing;
use crate::timing::Timing;
use crate::{go, opentofu, packages};

/// The newest minor version whose kubelet takes the containerd and the control groups of Debian 12.
const VERSION: &str = "1.34.4";
const PROGRAMS: [&str; 4] = ["kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubelet"];
const IMAGE: &str = "windlass.test/busybox:1";
/// With OpenTofu in it.
const TOFU: &str = "windlass.test/opentofu:1.12.6";
/// With the server in it.
const SERVER: &str = "windlass.test/windlass:1";
const PAUSE: &str = "windlass.test/pause:1";
/// The bridge of the pods, and their addresses.
const BRIDGE: &str = "windlass0";
const SUBNET: &str = "10.89.77.0/24";
/// This machine, as pods reach it.
const HOST: &str = "10.89.77.1";
const TOKEN: &str = "not-a-secret";
const PACKAGES: [(&str, &str); 6] = [
    ("etcd", "etcd-server"),
    ("containerd", "containerd"),
    ("runc", "runc"),
    ("busybox", "busybox-static"),
    ("openssl", "openssl"),
    ("ip", "iproute2"),
];
const CNI: &str = "/usr/lib/cni";

/// Runs the tests that need a cluster.
pub(crate) fn test(missing: Missing) -> Result<()> {
    let mut timing = Timing::of("cargo xtask test --kubernetes");
    let cluster = match timing.part("the cluster", Cluster::start) {
        Ok(cluster) => cluster,
        Err(reason) if missing == Missing::Skip => {
            eprintln!("== SKIPPED: there is no cluster of Kubernetes: {reason}");
            return Ok(());
        }
        Err(reason) => return Err(format!("there is no cluster of Kubernetes: {reason}")),
    };
    eprintln!("== on Kubernetes {VERSION}");
    let mut cargo = command::cargo();
    cargo.args(["test", "--test", "it", "kubernetes::", "--", "--ignored", "--test-threads", "8"]);
    for (name, value) in cluster.variables() {
        cargo.env(name, value);
    }
    timing.part("tests on Kubernetes", || command::run(&mut cargo))?;
    eprintln!("== all tests on Kubernetes passed");
    Ok(())
}

/// The bridge of the pods, before the first of them makes it: what they have to reach listens there.
fn bridge() -> Result<()> {
    let ip = |words: &[&str]| read(Command::new("ip").args(words));
    if ip(&["link", "show", BRIDGE]).is_err() {
        ip(&["link", "add", BRIDGE, "type", "bridge"])?;
        ip(&["addr", "add", &format!("{HOST}/24"), "dev", BRIDGE])?;
    }
    ip(&["link", "set", BRIDGE, "up"]).map(|_| ())
}

/// The folder of the programs of Kubernetes; built once.
fn provide() -> Result<PathBuf> {
    let tools = root().join("target/tools");
    let folder = tools.join("kubernetes");
    let there = |program: &&str| {
        let asked = read(Command::new(folder.join(program)).arg("--version").env_clear());
        asked.is_ok_and(|text| text == format!("Kubernetes v{VERSION}"))
    };
    if PROGRAMS.iter().all(there) {
        return Ok(folder);
    }
    fs::create_dir_all(&folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    let go = go::program(&tools)?;
    let begun = Instant::now();
    eprintln!("building Kubernetes {VERSION}, which takes some minutes");
    let module = go::source(&go, &tools, &format!("k8s.io/kubernetes@v{VERSION}"))?;
    // A copy: the module names parts of itself that are modules of their own, and are not in it.
    let source = tools.join("kubernetes-source");
    let _older = fs::remove_dir_all(&source);
    read(Command::new("cp").arg("-r").arg(module).arg(&source))?;
    read(Command::new("chmod").args(["-R", "u+w"]).arg(&source))?;
    let manifest = source.join("go.mod");
    let text = fs::read_to_string(&manifest).map_err(|e| e.to_string())?;
    let parts = VERSION.split_once('.').map_or(VERSION, |(_, rest)| rest);
    let lines: Vec<String> = text.lines().map(|line| published(line, parts)).collect();
    fs::write(&manifest, lines.join("\n")).map_err(|e| e.to_string())?;
    let _none = fs::remove_dir_all(source.join("vendor"));
    let package = "k8s.io/component-base/version";
    let link = format!("-s -w -X {package}.gitVersion=v{VERSION}");
    let mut build = Command::new(&go);
    build.args(["build", "-trimpath", "-ldflags", &link, "-o"]).arg(&folder);
    build.args(PROGRAMS.map(|program| format!("./cmd/{program}"))).current_dir(&source);
    build.env("GOWORK", "off").env("GOFLAGS", "-mod=mod").env("CGO_ENABLED", "0").env("GOTOOLCHAIN", "local");
    read(&mut build)?;
    let _copy = fs::remove_dir_all(&source);
    eprintln!("built in {} seconds", begun.elapsed().as_secs());
    Ok(folder)
}

/// A line of the manifest, with a published module in the place of a folder that is not there.
fn published(line: &str, version: &str) -> String {
    match line.trim().split_once(" => ./staging/src/") {
        Some((module, path)) => format!("\t{module} => {path} v0.{version}"),
        None => line.to_owned(),
    }
}

/// A cluster that runs; ended when dropped.
pub(crate) struct Cluster {
    folder: PathBuf,
    children: Vec<Child>,
    containerd: PathBuf,
    /// A PostgreSQL that pods reach, and its folder.
    database: String,
    data: PathBuf,
}

/// Where its parts listen.
struct Ports {
    etcd: u16,
    peers: u16,
    api: u16,
    kubelet: u16,
}

impl Cluster {
    /// Builds what is missing, and starts all of it.
    pub(crate) fn start() -> Result<Self> {
        if read(Command::new("id").arg("-u"))? != "0" {
            return Err("pods can only be run as root".into());
        }
        let mut more = Vec::new();
        if !Path::new(CNI).join("bridge").exists() {
            more.push("containernetworking-plugins");
        }
        if postgres_programs().is_none() {
            more.push("postgresql");
        }
        packages::install(&PACKAGES, &more);
        for (program, package) in PACKAGES {
            find(program).ok_or_else(|| format!("{program} is not installed (Debian's package {package})"))?;
        }
        let programs = provide()?;
        // Not below target: sockets need short names.
        let folder = std::env::temp_dir().join(format!("windlass-kubernetes-{}", std::process::id()));
        fs::create_dir_all(&folder).map_err(|e| format!("{}: {e}", folder.display()))?;
        bridge()?;
        let (child, data, database) = postgres_on(HOST, &folder)?;
        let containerd = folder.join("containerd.sock");
        let mut cluster = Self { containerd, folder, children: vec![child], database, data };
        let ports = Ports { etcd: free_port()?, peers: free_port()?, api: free_port()?, kubelet: free_port()? };
        cluster.control_plane(&programs, &ports)?;
        cluster.containers()?;
        cluster.node(&programs, &ports)?;
        Ok(cluster)
    }

    /// Variables that tell the tests where it is.
    pub(crate) fn variables(&self) -> Vec<(&'static str, String)> {
        vec![
            ("WINDLASS_TEST_KUBERNETES", self.folder.join("admin.kubeconfig").display().to_string()),
            ("WINDLASS_TEST_KUBERNETES_IMAGE", IMAGE.to_owned()),
            ("WINDLASS_TEST_KUBERNETES_HOST", HOST.to_owned()),
            ("WINDLASS_TEST_KUBERNETES_TOFU", TOFU.to_owned()),
            ("WINDLASS_TEST_KUBERNETES_SERVER", SERVER.to_owned()),
            ("WINDLASS_TEST_KUBERNETES_DATABASE", self.database.clone()),
        ]
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    fn write(&self, name: &str, text: impl AsRef<[u8]>) -> Result<PathBuf> {
        let path = self.path(name);
        fs::write(&path, text).map_err(|e| format!("{}: {e}", path.display()))?;
        Ok(path)
    }

    fn spawn(&mut self, program: PathBuf, arguments: &[String]) -> Result<()> {
        let name = program.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
        let mut command = tied(program);
        command.args(arguments).stdout(Stdio::null()).stderr(log(&self.folder, &name)?);
        self.children.push(command.spawn().map_err(|e| format!("{name}: {e}"))?);
        Ok(())
    }

    fn control_plane(&mut self, programs: &Path, ports: &Ports) -> Result<()> {
        let (etcd, api) = (format!("http://127.0.0.1:{}", ports.etcd), format!("https://{HOST}:{}", ports.api));
        let peers = format!("http://127.0.0.1:{}", ports.peers);
        let words = |list: &[&str]| list.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        let data = self.path("etcd").display().to_string();
        let own = ["--data-dir", &data, "--unsafe-no-fsync", "--listen-client-urls", &etcd];
        let own = [&own[..], &["--advertise-client-urls", &etcd, "--listen-peer-urls", &peers]].concat();
        self.spawn(find("etcd").ok_or("there is no etcd")?, &words(&own))?;
        let key = self.path("account.key").display().to_string();
        read(Command::new("openssl").args([
            "genpkey",
            "-algorithm",
            "EC",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-out",
            &key,
        ]))?;
        let public = self.path("account.pub").display().to_string();
        read(Command::new("openssl").args(["pkey", "-in", &key, "-pubout", "-out", &public]))?;
        // Everybody may do everything: it is a cluster of one machine, for tests.
        let tokens = self.write("tokens.csv", format!("{TOKEN},test,test,\"system:masters\"\n"))?.display().to_string();
        let pki = self.path("pki").display().to_string();
        let port = ports.api.to_string();
        self.spawn(
            programs.join("kube-apiserver"),
            &words(&[
                "--etcd-servers",
                &etcd,
                "--cert-dir",
                &pki,
                "--bind-address",
                HOST,
                "--secure-port",
                &port,
                "--advertise-address",
                HOST,
                "--token-auth-file",
                &tokens,
                "--authorization-mode",
                "RBAC",
                "--service-account-key-file",
                &public,
                "--service-account-signing-key-file",
                &key,
                "--service-account-issuer",
                "https://kubernetes.default.svc",
                "--service-cluster-ip-range",
                "10.96.0.0/24",
                "--endpoint-reconciler-type",
                "none",
            ]),
        )?;
        let certificate = self.path("pki/apiserver.crt");
        wait_for("the certificate of the API server", || fs::read(&certificate).is_ok_and(|text| !text.is_empty()))?;
        let authority = read(Command::new("base64").arg("-w0").arg(&certificate))?;
        let kubeconfig = self.write(
            "admin.kubeconfig",
            format!(
                "apiVersion: v1\nkind: Config\ncurrent-context: x\n\
                 clusters: [{{name: c, cluster: {{server: '{api}', certificate-authority-data: {authority}}}}}]\n\
                 users: [{{name: u, user: {{token: {TOKEN}}}}}]\ncontexts: [{{name: x, context: {{cluster: c, user: u}}}}]\n"
            ),
        )?;
        let kubeconfig = kubeconfig.display().to_string();
        wait_for("the API server", || self.ask(&api, "/readyz").is_ok_and(|text| text == "ok"))?;
        let common =
            ["--kubeconfig", &kubeconfig, "--leader-elect=false", "--bind-address", "127.0.0.1", "--secure-port", "0"];
        let accounts =
            ["--service-account-private-key-file", &key, "--root-ca-file", &certificate.display().to_string()];
        self.spawn(programs.join("kube-controller-manager"), &words(&[&common[..], &accounts].concat()))?;
        self.spawn(programs.join("kube-scheduler"), &words(&common))
    }

    fn ask(&self, api: &str, path: &str) -> Result<String> {
        let header = format!("Authorization: Bearer {TOKEN}");
        read(Command::new("curl").args(["-skf", "-H", &header, &format!("{api}{path}")]))
    }

    fn containers(&mut self) -> Result<()> {
        let at = |name: &str| self.path(name).display().to_string();
        let network = format!(
            r#"{{"cniVersion": "1.0.0", "name": "windlass", "plugins": [{{"type": "bridge", "bridge": "{BRIDGE}",
              "isGateway": true, "ipam": {{"type": "host-local", "dataDir": "{}", "ranges": [[{{"subnet": "{SUBNET}"}}]],
              "routes": [{{"dst": "0.0.0.0/0"}}]}}}}]}}"#,
            at("addresses")
        );
        fs::create_dir_all(self.path("network")).map_err(|e| e.to_string())?;
        self.write("network/10-bridge.conflist", network)?;
        let config = format!(
            "version = 2\nroot = \"{}\"\nstate = \"{}\"\n[grpc]\n  address = \"{}\"\n\
             [plugins.\"io.containerd.grpc.v1.cri\"]\n  sandbox_image = \"{PAUSE}\"\n\
             \x20 restrict_oom_score_adj = true\n\
             [plugins.\"io.containerd.grpc.v1.cri\".cni]\n  bin_dir = \"{CNI}\"\n  conf_dir = \"{}\"\n",
            at("containerd"),
            at("containerd-state"),
            self.containerd.display(),
            at("network")
        );
        let config = self.write("containerd.toml", config)?.display().to_string();
        self.spawn(find("containerd").ok_or("there is no containerd")?, &["-c".to_owned(), config])?;
        wait_for("containerd", || self.ctr(&["version"]).is_ok())?;
        self.image(PAUSE, r#""Entrypoint": ["/bin/busybox", "sleep", "2147483647"]"#, &[])?;
        self.image(IMAGE, r#""Cmd": ["sh"]"#, &[])?;
        let tofu = (opentofu::provide()?.join("tofu"), PathBuf::from("bin/tofu"));
        self.image(TOFU, r#""Cmd": ["sh"]"#, &[tofu])?;
        self.image(SERVER, r#""Entrypoint": ["/bin/windlass"]"#, &self.server()?)
    }

    fn ctr(&self, words: &[&str]) -> Result<String> {
        read(Command::new("ctr").arg("-a").arg(&self.containerd).args(["-n", "k8s.io"]).args(words))
    }

    /// An image of busybox, as an archive that containerd imports.
    fn image(&self, name: &str, starts: &str, more: &[(PathBuf, PathBuf)]) -> Result<()> {
        let busybox = find("busybox").ok_or("there is no busybox")?;
        let folder = self.path("image");
        let _older = fs::remove_dir_all(&folder);
        for part in ["root/bin", "root/tmp", "root/etc", "archive"] {
            fs::create_dir_all(folder.join(part)).map_err(|e| e.to_string())?;
        }
        fs::copy(&busybox, folder.join("root/bin/busybox")).map_err(|e| e.to_string())?;
        for applet in read(Command::new(&busybox).arg("--list"))?.lines().filter(|applet| *applet != "busybox") {
            let link = folder.join("root/bin").join(applet);
            std::os::unix::fs::symlink("/bin/busybox", link).map_err(|e| e.to_string())?;
        }
        for (from, to) in more {
            let to = folder.join("root").join(to);
            let parent = to.parent().ok_or("a file without a folder")?;
            fs::create_dir_all(parent).map_err(|e| e.to_string())?;
            fs::copy(from, &to).map_err(|e| format!("{}: {e}", from.display()))?;
        }
        let layer = folder.join("archive/layer.tar");
        read(Command::new("tar").arg("-C").arg(folder.join("root")).arg("-cf").arg(&layer).arg("."))?;
        let sum = read(Command::new("sha256sum").arg(&layer))?;
        let sum = sum.split(' ').next().unwrap_or_default();
        let config = format!(
            r#"{{"architecture": "{}", "os": "linux", "config": {{"Env": ["PATH=/bin"], {starts}}},
              "rootfs": {{"type": "layers", "diff_ids": ["sha256:{sum}"]}}}}"#,
            if std::env::consts::ARCH == "aarch64" { "arm64" } else { "amd64" }
        );
        self.write("image/archive/config.json", config)?;
        let manifest = format!(r#"[{{"Config": "config.json", "RepoTags": ["{name}"], "Layers": ["layer.tar"]}}]"#);
        self.write("image/archive/manifest.json", manifest)?;
        let archive = folder.join("image.tar");
        read(Command::new("tar").arg("-C").arg(folder.join("archive")).arg("-cf").arg(&archive).arg("."))?;
        self.ctr(&["images", "import", &archive.display().to_string()]).map(|_| ())
    }

    /// The server and the libraries that it is linked with, and where they are in an image.
    fn server(&self) -> Result<Vec<(PathBuf, PathBuf)>> {
        command::run(command::cargo().args(["build", "--bin", "windlass"]))?;
        let program = self.path("windlass");
        let built = root().join("target/debug/windlass");
        read(Command::new("strip").arg("-o").arg(&program).arg(&built))?;
        let libraries = read(Command::new("ldd").arg(&built))?;
        let paths = libraries.split_whitespace().filter(|word| word.starts_with('/'));
        let same = paths.map(|path| (PathBuf::from(path), PathBuf::from(path.trim_start_matches('/'))));
        Ok(std::iter::once((program, PathBuf::from("bin/windlass"))).chain(same).collect())
    }

    fn node(&mut self, programs: &Path, ports: &Ports) -> Result<()> {
        let at = |name: &str| self.path(name).display().to_string();
        let config = format!(
            "apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\n\
             authentication: {{anonymous: {{enabled: true}}, webhook: {{enabled: false}}}}\nauthorization: {{mode: AlwaysAllow}}\n\
             address: 127.0.0.1\nport: {}\nreadOnlyPort: 0\nhealthzPort: 0\ncgroupDriver: cgroupfs\nfailCgroupV1: false\n\
             failSwapOn: false\ncontainerRuntimeEndpoint: unix://{}\nenforceNodeAllocatable: []\nlocalStorageCapacityIsolation: false\n\
             evictionHard: {{nodefs.available: '1%', imagefs.available: '1%', memory.available: 50Mi}}\n\
             imageGCHighThresholdPercent: 100\nimageGCLowThresholdPercent: 99\npodLogsDir: {}\nvolumePluginDir: {}\n",
            ports.kubelet,
            self.containerd.display(),
            at("pod-logs"),
            at("volume-plugins")
        );
        let config = self.write("kubelet.yaml", config)?.display().to_string();
        let words = [
            "--config",
            &config,
            "--kubeconfig",
            &at("admin.kubeconfig"),
            "--hostname-override",
            "127.0.0.1",
            "--root-dir",
            &at("kubelet"),
            "--cert-dir",
            &at("kubelet-pki"),
        ]
        .map(str::to_owned);
        self.spawn(programs.join("kubelet"), &words)?;
        let api = format!("https://{HOST}:{}", ports.api);
        wait_for("the node", || {
            let node = self.ask(&api, "/api/v1/nodes/127.0.0.1").unwrap_or_default();
            node.contains("kubelet is posting ready status")
        })?;
        wait_for("the service account of the namespaces", || {
            self.ask(&api, "/api/v1/namespaces/default/serviceaccounts/default").is_ok()
        })
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        // The kubelet first, so that it starts nothing again; then what it has started; then the others.
        if let Some(mut kubelet) = self.children.pop() {
            end(&mut kubelet);
        }
        let tasks = self.ctr(&["tasks", "ls", "-q"]).unwrap_or_default();
        for task in tasks.lines() {
            let _ended = self.ctr(&["tasks", "rm", "-f", task]);
        }
        self.children.iter_mut().rev().for_each(end);
        let mounts = fs::read_to_string("/proc/self/mounts").unwrap_or_default();
        let own = self.folder.display().to_string();
        let mut points: Vec<&str> = mounts.lines().filter_map(|line| line.split(' ').nth(1)).collect();
        points.retain(|point| point.starts_with(&own));
        for point in points.into_iter().rev() {
            let _gone = Command::new("umount").args(["-l", point]).status();
        }
        let _bridge = Command::new("ip").args(["link", "del", BRIDGE]).stderr(Stdio::null()).status();
        let _removed = fs::remove_dir_all(&self.folder);
        let _data = fs::remove_dir_all(&self.data);
    }
}
