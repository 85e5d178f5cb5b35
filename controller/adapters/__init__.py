"""What touches vendors: broker, database, OPC UA, InfluxDB, slicer, files, clock."""
