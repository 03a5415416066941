//! Commands on images: `import`, `pull`, `tag`, `rmi`, `prune`.

use super::arguments::{Flag, read};
use super::image::Image;
use super::pull::Style;
use super::{Docker, image};
use crate::unix::{Call, Done};

/// `docker import FILE|- [NAME]`.
pub(super) async fn import(docker: Docker<'_>, call: &Call, words: &[String]) -> Done {
    let flags = [
        Flag("change", Some('c'), true),
        Flag("message", Some('m'), true),
        Flag("platform", None, true),
    ];
    let arguments = read(call, words, &flags, true, 125).await?;
    docker.check(call).await?;
    let Some(source) = arguments.rest.first() else {
        call.err("\"docker import\" requires at least 1 argument.\n")
            .await;
        return Err(1);
    };
    let archive = match call.read(source).await {
        Ok(archive) => archive,
        Err(errno) => {
            call.err(format!(
                "open {source}: {}\n",
                errno.to_string().to_lowercase()
            ))
            .await;
            return Err(1);
        }
    };
    let name = arguments.rest.get(1).map_or("<none>", String::as_str);
    let image = match Image::imported(name, &archive) {
        Ok(image) => image,
        Err(reason) => return Docker::refuse(call, 1, &format!("archive/tar: {reason}")).await,
    };
    let stored = crate::unix::Machine::base(docker.guest)
        .files()
        .reserve(image.size());
    if stored.is_err() {
        return Docker::refuse(
            call,
            1,
            "write /var/lib/docker/tmp/import: no space left on device",
        )
        .await;
    }
    let id = image.id.clone();
    {
        let mut state = docker.state();
        for layer in &image.layers {
            state.layers.insert(layer.id.clone(), layer.size);
        }
        state
            .images
            .retain(|other| other.reference != image.reference);
        state.images.push(image);
    }
    call.out(format!("{id}\n")).await?;
    Ok(0)
}

pub(super) async fn pull(docker: Docker<'_>, call: &Call, words: &[String]) -> Done {
    let flags = [
        Flag("quiet", Some('q'), false),
        Flag("platform", None, true),
        Flag("all-tags", Some('a'), false),
    ];
    let arguments = read(call, words, &flags, true, 125).await?;
    docker.check(call).await?;
    let Some(name) = arguments.rest.first() else {
        call.err("\"docker pull\" requires exactly 1 argument.\n")
            .await;
        return Err(1);
    };
    if image::normal(name).ends_with(":latest") && !name.ends_with(":latest") {
        call.out("Using default tag: latest\n").await?;
    }
    let was_there = docker.state().image(name).is_some();
    match docker.pull(call, name, Style::Docker).await {
        Ok(image) => {
            let digest = image.digest.clone().unwrap_or_default();
            let what = if was_there {
                "Image is up to date"
            } else {
                "Downloaded newer image"
            };
            call.out(format!(
                "Digest: {digest}\nStatus: {what} for {}\n{}\n",
                image.reference, image.reference
            ))
            .await?;
            Ok(0)
        }
        Err(message) => Docker::refuse(call, 1, &message).await,
    }
}

pub(super) async fn tag(docker: Docker<'_>, call: &Call, words: &[String]) -> Done {
    docker.check(call).await?;
    let [from, to] = words else {
        call.err("\"docker tag\" requires exactly 2 arguments.\n")
            .await;
        return Err(1);
    };
    let found = docker.state().image(from).cloned();
    let Some(mut image) = found else {
        return Docker::refuse(call, 1, &format!("No such image: {}", image::normal(from))).await;
    };
    image.reference = image::normal(to);
    let mut state = docker.state();
    state
        .images
        .retain(|other| other.reference != image.reference);
    state.images.push(image);
    Ok(0)
}

pub(super) async fn remove_images(docker: Docker<'_>, call: &Call, words: &[String]) -> Done {
    let flags = [
        Flag("force", Some('f'), false),
        Flag("no-prune", None, false),
    ];
    let arguments = read(call, words, &flags, true, 125).await?;
    docker.check(call).await?;
    let mut code = 0;
    for name in &arguments.rest {
        let found = docker.state().image(name).cloned();
        let Some(image) = found else {
            call.err(format!(
                "Error response from daemon: No such image: {}\n",
                image::normal(name)
            ))
            .await;
            code = 1;
            continue;
        };
        let user = docker
            .state()
            .containers
            .iter()
            .find(|container| image.is_called(&container.plan.image))
            .map(|container| container.id[..12].to_owned());
        if let Some(user) = user.filter(|_| !arguments.has("force")) {
            call.err(format!("Error response from daemon: conflict: unable to remove repository reference \"{name}\" (must force) - container {user} is using its referenced image {}\n", &image.id["sha256:".len()..][..12])).await;
            code = 1;
            continue;
        }
        docker.remove_image(&image.reference);
        call.out(format!(
            "Untagged: {}\nDeleted: {}\n",
            image.reference, image.id
        ))
        .await?;
    }
    Ok(code)
}

pub(super) async fn prune(docker: Docker<'_>, call: &Call, words: &[String]) -> Done {
    let flags = [
        Flag("all", Some('a'), false),
        Flag("force", Some('f'), false),
        Flag("volumes", None, false),
        Flag("filter", None, true),
    ];
    let arguments = read(call, words, &flags, true, 125).await?;
    docker.check(call).await?;
    let before = crate::unix::Machine::base(docker.guest).files().used();
    let unused: Vec<String> = {
        let state = docker.state();
        state
            .images
            .iter()
            .filter(|image| {
                arguments.has("all")
                    && !state
                        .containers
                        .iter()
                        .any(|container| image.is_called(&container.plan.image))
            })
            .map(|image| image.reference.clone())
            .collect()
    };
    for reference in unused {
        docker.remove_image(&reference);
    }
    let freed = before - crate::unix::Machine::base(docker.guest).files().used();
    call.out(format!("Total reclaimed space: {freed}B\n"))
        .await?;
    Ok(0)
}
