if not SETTINGS.reference:

    rule reference:
        """Controls of a panel to a frozen reference and the bank of cells behind every limit."""
        input:
            tubes=expand(f"{RESULTS}/prepare/{{batch}}.tsv", batch=CONTROLS),
        output:
            f"{RESULTS}/reference/{{panel}}/reference.safetensors.json",
        log:
            f"{RESULTS}/logs/reference/{{panel}}.log",
        benchmark:
            f"{RESULTS}/benchmarks/reference/{{panel}}.tsv"
        conda:
            ENVIRONMENT
        threads: 4
        resources:
            mem_mb=memory("reference"),
            runtime=runtime("reference"),
            gpu=GPUS,
        params:
            options=OPTIONS,
            code=code_digest("reference"),
            settings=settings_digest(SETTINGS, "reference"),
            panel=panel_of,
        shell:
            "mrd reference {params.options} --panel {params.panel:q} --threads {threads} --tubes {input.tubes} 2> {log}"
