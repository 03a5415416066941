//! `proximity nodes`.

use api::Node;

use crate::{Console, client::Client, error::Error, size, table};

/// Lists the nodes.
pub(crate) async fn list(client: &Client, console: &mut Console) -> Result<(), Error> {
    let nodes: Vec<Node> = client.list("/nodes", &[], None).await?;
    if console.value(&nodes)? {
        return Ok(());
    }
    let rows = nodes.iter().map(|node| {
        [
            node.name.clone(),
            node.state.to_string(),
            format!("{:.0} % of {}", node.cpu * 100.0, node.cores),
            format!(
                "{} of {}",
                size::told(node.memory_used),
                size::told(node.memory_total)
            ),
            size::told(node.memory_promised),
            node.apps.to_string(),
            node.unfit.clone().unwrap_or_default(),
        ]
    });
    let header = [
        "NAME",
        "STATE",
        "CPU",
        "MEMORY",
        "PROMISED",
        "APPS",
        "NOT CHOSEN BECAUSE",
    ];
    table::print(console, header, rows, "The cluster has no nodes.")?;
    Ok(())
}
