package cli

import (
	"fmt"

	"github.com/go-logr/logr"
	"github.com/go-logr/zapr"
	"github.com/spf13/cobra"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"k8s.io/klog/v2"

	"github.com/emrguard/emrguard/pkg/server"
)

func newWebhook() *cobra.Command {
	o := server.NewOptions()
	level, format := "info", "json"
	cmd := &cobra.Command{
		Use:   "webhook",
		Short: "Serve admission requests of the API server",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := o.Validate(); err != nil {
				return err
			}
			log, err := newLogger(level, format)
			if err != nil {
				return err
			}
			klog.SetLogger(log)
			log.Info("Starting", "version", buildVersion())
			return server.Run(cmd.Context(), o, log)
		},
	}
	o.AddFlags(cmd.Flags())
	cmd.Flags().StringVar(&level, "log-level", level, "debug, info or error")
	cmd.Flags().StringVar(&format, "log-format", format, "json or console")
	return cmd
}

func newLogger(level, format string) (logr.Logger, error) {
	var c zap.Config
	switch format {
	case "json":
		c = zap.NewProductionConfig()
		c.EncoderConfig.EncodeTime = zapcore.ISO8601TimeEncoder
	case "console":
		c = zap.NewDevelopmentConfig()
	default:
		return logr.Logger{}, fmt.Errorf("--log-format %q is neither json nor console", format)
	}
	switch level {
	case "debug", "info", "error":
	default:
		return logr.Logger{}, fmt.Errorf("--log-level %q is none of debug, info, error", level)
	}
	parsed, err := zap.ParseAtomicLevel(level)
	if err != nil {
		return logr.Logger{}, fmt.Errorf("--log-level: %w", err)
	}
	c.Level = parsed
	// Sampling would drop findings when many come at once.
	c.Sampling = nil
	c.DisableStacktrace = true
	z, err := c.Build()
	if err != nil {
		return logr.Logger{}, fmt.Errorf("set up the log: %w", err)
	}
	return zapr.NewLogger(z), nil
}
