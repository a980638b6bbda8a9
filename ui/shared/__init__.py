"""What every page uses: session, sidebar, links, the cell panel, the basket."""
