"""The meta-controller: finds models that fit a project's task, and proves them on pilot rows."""
