//! PostgreSQL, a Docker engine and an image registry, started for the tests and ended with them.
//!
//! Everything listens on loopback, lives in target/services, and is ended by its process id. On Debian, as root,
//! what is missing is installed.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::command::{Result, find, read, root, run};
use crate::kubernetes::Cluster;
use crate::{opentofu, packages};

/// The image that tests run, made from Debian's busybox.
const IMAGE: &str = "docker.io/library/busybox:1.36.1";
const USER: &str = "windlass";
const PASSWORD: &str = "not-a-secret";
const PATIENCE: Duration = Duration::from_secs(60);

/// What was started; ended when dropped.
pub(crate) struct Services {
    children: Vec<Child>,
    folders: Vec<PathBuf>,
    /// Variables that tell the tests where things are.
    pub(crate) variables: Vec<(&'static str, String)>,
    /// What is not there, and why.
    pub(crate) missing: Vec<String>,
}

impl Drop for Services {
    fn drop(&mut self) {
        self.children.iter_mut().rev().for_each(end);
        for folder in &self.folders {
            let _removed = fs::remove_dir_all(folder);
        }
    }
}

/// SIGTERM lets programs clear up; what does not listen is killed.
pub(crate) fn end(child: &mut Child) {
    let _asked = Command::new("kill").args(["-TERM", &child.id().to_string()]).status();
    let deadline = Instant::now() + Duration::from_secs(15);
    while matches!(child.try_wait(), Ok(None)) && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(100));
    }
    let _killed = child.kill();
    let _ended = child.wait();
}

/// Starts everything, prints the variables, and waits for Ctrl-C.
pub(crate) fn keep(with_kubernetes: bool) -> Result<()> {
    let mut services = start()?;
    let cluster = if with_kubernetes { Some(Cluster::start()?) } else { None };
    services.variables.extend(cluster.iter().flat_map(Cluster::variables));
    for (name, value) in &services.variables {
        println!("export {name}={value}");
    }
    for missing in &services.missing {
        eprintln!("missing: {missing}");
    }
    eprintln!("press Enter or Ctrl-C to end them");
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).map_err(|e| e.to_string())?;
    while line.is_empty() {
        std::thread::sleep(Duration::from_secs(3600));
    }
    Ok(())
}

/// Starts what can be started.
pub(crate) fn start() -> Result<Services> {
    type Attempt = fn(&mut Services, &Path) -> Result<()>;
    let folder = root().join("target/services");
    fs::create_dir_all(&folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    install();
    let mut services =
        Services { children: Vec::new(), folders: Vec::new(), variables: Vec::new(), missing: Vec::new() };
    let attempts: [(&str, Attempt); 5] = [
        ("PostgreSQL", postgres),
        ("a Docker engine", docker),
        ("an image registry", registry),
        ("OpenTofu", opentofu),
        ("a server of SSH", sshd),
    ];
    for (name, attempt) in attempts {
        if let Err(reason) = attempt(&mut services, &folder) {
            services.missing.push(format!("{name}: {reason}"));
        }
    }
    Ok(services)
}

/// Only whether there is one: the test starts its own.
fn sshd(services: &mut Services, _: &Path) -> Result<()> {
    let program = find("sshd").ok_or("there is no sshd")?;
    services.variables.push(("WINDLASS_TEST_SSHD", program.display().to_string()));
    Ok(())
}

fn opentofu(services: &mut Services, _: &Path) -> Result<()> {
    let folder = opentofu::provide()?;
    services.variables.push(("WINDLASS_TEST_TOOLS", folder.display().to_string()));
    Ok(())
}

/// Programs that tests need, with Debian's packages that hold them.
const PACKAGES: [(&str, &str); 9] = [
    ("sshd", "openssh-server"),
    ("python3", "python3"),
    ("git", "git"),
    ("dockerd", "docker.io"),
    ("iptables", "iptables"),
    ("docker-registry", "docker-registry"),
    ("htpasswd", "apache2-utils"),
    ("busybox", "busybox-static"),
    ("curl", "curl"),
];

fn install() {
    let mut wanted = Vec::new();
    if postgres_programs().is_none() {
        wanted.push("postgresql");
    }
    // Debian keeps what makes a virtual environment apart.
    if read(Command::new("python3").args(["-c", "import ensurepip, venv"])).is_err() {
        wanted.push("python3-venv");
    }
    packages::install(&PACKAGES, &wanted);
}

/// The folder of `initdb`, which Debian keeps off the PATH.
pub(crate) fn postgres_programs() -> Option<PathBuf> {
    if let Some(program) = find("initdb") {
        // A link in another folder has none of the other programs beside it.
        return fs::canonicalize(program).ok()?.parent().map(PathBuf::from);
    }
    let versions = fs::read_dir("/usr/lib/postgresql").ok()?;
    let mut folders: Vec<PathBuf> = versions.flatten().map(|entry| entry.path().join("bin")).collect();
    folders.sort();
    folders.into_iter().rev().find(|folder| folder.join("initdb").is_file())
}

pub(crate) fn free_port() -> Result<u16> {
    let listener = TcpListener::bind("127.0.0.1:0").map_err(|e| e.to_string())?;
    listener.local_addr().map(|address| address.port()).map_err(|e| e.to_string())
}

pub(crate) fn wait_for(what: &str, mut ready: impl FnMut() -> bool) -> Result<()> {
    let deadline = Instant::now() + PATIENCE;
    while Instant::now() < deadline {
        if ready() {
            return Ok(());
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    Err(format!("{what} did not answer in {} seconds", PATIENCE.as_secs()))
}

pub(crate) fn log(folder: &Path, name: &str) -> Result<Stdio> {
    let path = folder.join(format!("{name}.log"));
    fs::File::create(&path).map(Stdio::from).map_err(|e| format!("{}: {e}", path.display()))
}

/// A program that is ended with this one, also when this one is killed, where util-linux can arrange it.
pub(crate) fn tied(program: PathBuf) -> Command {
    match find("setpriv") {
        Some(setpriv) => {
            let mut command = Command::new(setpriv);
            command.args(["--pdeathsig", "TERM"]).arg(program);
            command
        }
        None => Command::new(program),
    }
}

/// As another user where this one is root: PostgreSQL refuses root.
fn as_postgres(program: PathBuf) -> Result<Command> {
    let mut command = tied(program);
    if read(Command::new("id").arg("-u"))? == "0" {
        let number =
            |flag| read(Command::new("id").args([flag, "postgres"]))?.parse::<u32>().map_err(|e| e.to_string());
        command.gid(number("-g")?).uid(number("-u")?);
    }
    command.current_dir("/");
    Ok(command)
}

fn postgres(services: &mut Services, folder: &Path) -> Result<()> {
    let (child, data, url) = postgres_on("127.0.0.1", folder)?;
    services.children.push(child);
    services.folders.push(data);
    services.variables.push(("WINDLASS_TEST_DATABASE_URL", url));
    Ok(())
}

/// A PostgreSQL on an address: its process, its folder and its URL. Whoever reaches the address is let in.
pub(crate) fn postgres_on(address: &str, folder: &Path) -> Result<(Child, PathBuf, String)> {
    let programs = postgres_programs().ok_or("initdb is not installed")?;
    // Not below target: the other user may not be able to reach it there.
    let data = std::env::temp_dir().join(format!("windlass-postgres-{}-{address}", std::process::id()));
    run(as_postgres(programs.join("initdb"))?
        .args(["--no-sync", "-A", "trust", "-U", "postgres", "-E", "UTF8", "--locale=C", "-D"])
        .arg(&data)
        .stdout(log(folder, "initdb")?))?;
    if address != "127.0.0.1" {
        let rules = fs::read_to_string(data.join("pg_hba.conf")).map_err(|e| e.to_string())?;
        fs::write(data.join("pg_hba.conf"), format!("{rules}host all all {address}/24 trust\n"))
            .map_err(|e| e.to_string())?;
    }
    let port = free_port()?;
    let settings = [
        format!("port={port}"),
        format!("listen_addresses={address}"),
        "unix_socket_directories=".into(),
        "fsync=off".into(),
        "max_connections=300".into(),
    ];
    let mut command = as_postgres(programs.join("postgres"))?;
    command.arg("-D").arg(&data).args(settings.iter().flat_map(|setting| ["-c", setting.as_str()]));
    command.stdout(log(folder, "postgres")?).stderr(log(folder, "postgres-errors")?);
    let child = command.spawn().map_err(|e| format!("postgres: {e}"))?;
    wait_for("PostgreSQL", || {
        let mut ready = Command::new(programs.join("pg_isready"));
        read(ready.args(["-q", "-h", address, "-p", &port.to_string()])).is_ok()
    })?;
    Ok((child, data, format!("postgres://postgres@{address}:{port}/postgres")))
}

fn engine_answers() -> bool {
    read(Command::new("docker").args(["version", "--format", "{{.Server.Version}}"])).is_ok()
}

fn docker(services: &mut Services, folder: &Path) -> Result<()> {
    if find("docker").is_none() {
        return Err("docker is not installed".into());
    }
    if !engine_answers() {
        let program = find("dockerd").ok_or("no engine answers, and dockerd is not installed")?;
        let mut command = tied(program);
        command.arg("--data-root").arg(folder.join("docker")).arg("--exec-root").arg(folder.join("docker-run"));
        command.arg("--pidfile").arg(folder.join("docker.pid"));
        command.stdout(Stdio::null()).stderr(log(folder, "dockerd")?);
        services.children.push(command.spawn().map_err(|e| format!("dockerd: {e}"))?);
        wait_for("dockerd", engine_answers)?;
    }
    if read(Command::new("docker").args(["image", "inspect", IMAGE])).is_err() {
        build_image(folder)?;
    }
    services.variables.push(("WINDLASS_TEST_DOCKER", IMAGE.to_owned()));
    Ok(())
}

/// The image is made here, because the machine may have no registry to pull it from.
fn build_image(folder: &Path) -> Result<()> {
    let busybox = find("busybox").ok_or("busybox-static is not installed")?;
    let context = folder.join("image");
    fs::create_dir_all(&context).map_err(|e| e.to_string())?;
    fs::copy(busybox, context.join("busybox")).map_err(|e| e.to_string())?;
    let dockerfile = "FROM scratch\nCOPY busybox /bin/busybox\nRUN [\"/bin/busybox\", \"--install\", \"-s\", \"/bin\"]\n\
         ENV PATH=/bin\nCMD [\"sh\"]\n";
    fs::write(context.join("Dockerfile"), dockerfile).map_err(|e| e.to_string())?;
    let mut build = Command::new("docker");
    build.args(["build", "-q", "-t", IMAGE]).arg(&context).env("DOCKER_BUILDKIT", "0");
    read(&mut build).map(|_| ())
}

fn registry(services: &mut Services, folder: &Path) -> Result<()> {
    let program = find("docker-registry").ok_or("docker-registry is not installed")?;
    let password = read(Command::new("htpasswd").args(["-Bbn", USER, PASSWORD]))?;
    let passwords = folder.join("htpasswd");
    fs::write(&passwords, password).map_err(|e| e.to_string())?;
    let port = free_port()?;
    let data = folder.join("registry");
    let config = format!(
        "version: 0.1\nstorage:\n  filesystem:\n    rootdirectory: {}\nhttp:\n  addr: 127.0.0.1:{port}\n\
         auth:\n  htpasswd:\n    realm: tests\n    path: {}\n",
        data.display(),
        passwords.display()
    );
    let file = folder.join("registry.yml");
    fs::write(&file, config).map_err(|e| e.to_string())?;
    let mut command = tied(program);
    command.arg("serve").arg(&file).stdout(log(folder, "registry")?).stderr(log(folder, "registry-errors")?);
    services.children.push(command.spawn().map_err(|e| format!("docker-registry: {e}"))?);
    wait_for("the registry", || TcpStream::connect(("127.0.0.1", port)).is_ok())?;
    if !services.variables.iter().any(|(name, _)| *name == "WINDLASS_TEST_DOCKER") {
        return Err("there is no Docker engine to fill it".into());
    }
    let reference = format!("127.0.0.1:{port}/tests/busybox:1");
    let docker = |words: &[&str]| {
        let mut command = Command::new("docker");
        command.args(words).env("DOCKER_CONFIG", folder.join("docker-config"));
        read(&mut command)
    };
    docker(&["login", "-u", USER, "-p", PASSWORD, &format!("127.0.0.1:{port}")])?;
    docker(&["tag", IMAGE, &reference])?;
    docker(&["push", "-q", &reference])?;
    docker(&["rmi", &reference])?;
    services.variables.push(("WINDLASS_TEST_REGISTRY", format!("{USER}:{PASSWORD}@{reference}")));
    Ok(())
}
