/* built by agent/snippet */
